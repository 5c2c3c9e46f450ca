"""Floor of numbers: arrays and scalars in, arrays and scalars out."""
