"""What happens next in a process. Pure: no I/O, no clock, no chance. `advance` is the entrance; `facts` and
`effects` are the table of contents; docs/engine.md is the theory of operation."""
