"""Metrics: (truths, predictions) -> Tally, one row a sample; an entry is a public function."""
