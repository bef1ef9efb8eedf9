"""Better pictures without a training set: what helps is measured, done with weights that are shipped, and told."""
