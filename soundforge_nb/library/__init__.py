"""Library: tracks, their files, stems and analyses. Import, tags, reuse, export. Never decodes audio."""
