"""What runs inside a sandbox: standard library only, nothing of the rest of Colony.

`root` guards everything and dies with the engine; `zygote` loads the host once and forks; `worker` and `child` run
requests; `confine` holds the system calls, `wire` the frames, `attacks` what the canary tries.
"""
