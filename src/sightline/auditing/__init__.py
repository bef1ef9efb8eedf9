"""What is wrong with data, before anything is learnt from it."""
