"""From a bundle and pictures to decisions, with numpy and a runtime only."""
