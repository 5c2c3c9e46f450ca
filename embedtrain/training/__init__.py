"""What all models share while they train: tables, schedule, loss, the loop over epochs and its reports."""
