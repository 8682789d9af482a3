"""From a monograph (text, Markdown, HTML, Word) to the draft of a procedure.yaml.

`reading` gives a flat list of what the format shows, `outlining` says what of it is a heading,
`sorting` puts each fact below its section by the table `headings.yaml`, `keys` reads what is sure,
`writing` writes the draft, `lock` remembers the facts without their words.
"""
