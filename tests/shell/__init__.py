"""What people paste: the shell function and every command that is printed, run in a real bash."""
