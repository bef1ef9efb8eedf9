"""Door: pictures in and decisions out over HTTP, for people, programs and inference clients alike."""
