"""What `callsheet doctor` looks at. Each check gives what it found, and none of them writes anywhere."""
