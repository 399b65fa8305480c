"""Ports: sole owner of child processes. One port is one child, one job at a time.

A child imports `soundforge_nb.ports.protocol` from here before its first word, so this file imports nothing:
`Port` is in ``port``, `PortSupervisor` in ``supervisor``, `Program` in ``program``, `cold_port` in ``cold``,
`Analyzer` in ``analyzer``, `Separator` in ``separator``.
"""
