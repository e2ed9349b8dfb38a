"""What depends on this process and machine: forks, who else can read a file, small files that are read whole."""
