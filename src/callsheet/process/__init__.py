"""What depends on this process and machine: forks, files that other users can read, small files that are read whole."""
