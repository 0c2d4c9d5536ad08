"""Real processes on loopback, ended, stopped and cut off at bad moments."""
