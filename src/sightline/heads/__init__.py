"""What stands on a model: raw pixels in, named outputs out."""
