"""What authors mean by a name against what its codes are: displays, kinds and activity.

`sources` knows codes of packages, extras and files, `checks` holds procedures against them,
`lock` keeps what was found, so that a build needs none of them.
"""
