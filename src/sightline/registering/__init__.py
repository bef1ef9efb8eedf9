"""Stage: versions of models, what they are called, who promoted them, and the way back."""
