"""Overlays: (image, annotation) -> image, an entry is a public function named after the record that it draws."""
