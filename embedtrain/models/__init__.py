"""The models, a file each: settings, tables, and what a worker does."""
