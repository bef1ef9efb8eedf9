"""What the first process of a team starts the others with: python -m sightline.training RUN RANK SIZE MEETING."""

import sys

from sightline.training.member import main

sys.exit(main(sys.argv[1:]))
