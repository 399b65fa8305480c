"""Pipeline: the job kinds, what can be asked of them, and how they chain."""
