"""Audio: numpy in, numpy out. Imported by the programs only, never by the application."""
