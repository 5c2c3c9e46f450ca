"""Training, as shared by all models: settings, data, tables, schedules, loss, the loop over epochs, reports."""
