"""Stage: answers for many at once, from several models and versions, within a time, whatever happens to one of them."""
