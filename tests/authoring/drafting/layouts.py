"""One monograph in many layouts: what it says stays the same, so the draft must as well."""

import html
import io

import docx

ROMAN = "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI".split()
PROSE = {"name", "summary", "purpose", "duration", "setting", "experience"}


def _listed(parts, head, item, *, gap="\n\n", prose="{}"):
    """Sections one below the other; `head` and `item` write a heading and an item by number."""
    return gap.join(
        "\n".join(
            [
                head(at, heading),
                *(
                    prose.format(fact) if section in PROSE else item(at, number, fact)
                    for number, fact in enumerate(facts, 1)
                ),
            ]
        )
        for at, (section, heading, facts) in enumerate(parts, 1)
    )


def _bullet(_at, _number, fact):
    return f"- {fact}"


TEXTS = {
    "seed.txt": lambda p: _listed(p, lambda _, h: h, lambda *a: f"- {a[2]}.", gap="\n"),
    "colon.txt": lambda p: _listed(p, lambda _, h: h.rstrip("?") + ":", _bullet, gap="\n"),
    "capitals.txt": lambda p: _listed(p, lambda _, h: h.upper(), _bullet),
    "capitals_plain.txt": lambda p: _listed(p, lambda _, h: h.upper(), lambda *a: a[2]),
    "capitals_dense.txt": lambda p: _listed(p, lambda _, h: h.upper(), lambda *a: a[2], gap="\n"),
    "numbered.txt": lambda p: _listed(p, lambda n, h: f"{n}. {h}", _bullet, gap="\n"),
    "lettered.txt": lambda p: _listed(
        p, lambda n, h: f"{n}. {h}", lambda _, m, f: f"{chr(96 + m)}) {f}"
    ),
    "decimal.txt": lambda p: _listed(p, lambda n, h: f"{n}. {h}", lambda n, m, f: f"{n}.{m} {f}"),
    "zeros.txt": lambda p: _listed(
        p, lambda n, h: f"{n}.0 {h.upper()}", lambda n, m, f: f"{n}.{m} {f}"
    ),
    "bare_numbers.txt": lambda p: _listed(p, lambda n, h: f"{n} {h}", _bullet),
    "articles.txt": lambda p: _listed(
        p, lambda n, h: f"Section {n}: {h}", lambda _, m, f: f"({chr(96 + m)}) {f}"
    ),
    "colons.md": lambda p: _listed(p, lambda _, h: f"**{h.rstrip('?')}:**\n", _bullet),
    "dashes.txt": lambda p: _listed(p, lambda _, h: h, lambda *a: f"\u2013 {a[2]}", gap="\n"),
    "twice_numbered.txt": lambda p: _listed(
        p, lambda n, h: f"{n}. {h}", lambda _, m, f: f"{m}. {f}", gap="\n"
    ),
    "roman.txt": lambda p: _listed(p, lambda n, h: f"{ROMAN[n - 1]}. {h}", _bullet),
    "underlined.txt": lambda p: _listed(p, lambda _, h: f"{h}\n{'-' * len(h)}", _bullet),
    "gaps.txt": lambda p: _listed(p, lambda _, h: h, lambda *a: a[2]),
    "hashes.md": lambda p: _listed(p, lambda _, h: f"## {h}\n", _bullet),
    "bold.md": lambda p: _listed(p, lambda _, h: f"**{h}**\n", _bullet),
    "numbered.md": lambda p: _listed(p, lambda n, h: f"# {n}. {h}", lambda _, m, f: f"{m}. {f}"),
    "tabs.txt": lambda p: "".join(
        f"{h if not at else ''}\t{fact}\n" for _, h, facts in p for at, fact in enumerate(facts)
    ),
    "wide_spaces.txt": lambda p: "".join(
        f"{h if not at else '':44}    {fact}\n"
        for _, h, facts in p
        for at, fact in enumerate(facts)
    ),
    "pages.txt": lambda p: "\n\n".join(
        f"{page}\n\nPage {at} of {len(p)}"
        for at, page in enumerate(
            (_listed([part], lambda _, h: h.upper(), _bullet) for part in p), 1
        )
    ),
    "front.md": lambda p: (
        "---\nauthor: a ward\ndate: 2026-01-02\n---\n\n"
        + _listed(p, lambda _, h: f"## {h}\n", _bullet)
    ),
    "bars.md": lambda p: (
        "| Section | Content |\n|---|---|\n"
        + "".join(f"| {h} | {'<br>'.join(facts)} |\n" for _, h, facts in p)
    ),
}


def _html(parts, head, around, item):
    return "\n".join(
        head.format(html.escape(heading))
        + around.format("".join(item.format(html.escape(fact)) + "\n" for fact in facts))
        for _, heading, facts in parts
    )


PAGES = {
    "headings.html": lambda p: _html(p, "<h2>{}</h2>", "<ul>{}</ul>", "<li>{}</li>"),
    "unclosed.html": lambda p: _html(p, "<h3>{}", "<ul>{}</ul>", "<li>{}"),
    "strong.html": lambda p: _html(p, "<p><strong>{}</strong></p>", "<ol>{}</ol>", "<li>{}</li>"),
    "table.html": lambda p: (
        "<table>"
        + _html(p, "<tr><th>{}</th>", "<td><ul>{}</ul></td></tr>", "<li>{}</li>")
        + "</table>"
    ),
    "breaks.html": lambda p: (
        "<table><tr><th>Section</th><th>Details</th></tr>"
        + _html(p, "<tr><td>{}</td>", "<td>{}</td></tr>", "{}<br>")
        + "</table>"
    ),
    "rows.html": lambda p: (
        "<table>"
        + _html(p, "<tr><th colspan=2>{}</th></tr>", "{}", "<tr><td colspan=2>{}</td></tr>")
        + "</table>"
    ),
    "spans.html": lambda p: (
        "<table>"
        + "".join(
            f"<tr><td rowspan={len(facts)}>{html.escape(h)}</td>"
            + "<tr>".join(f"<td>{html.escape(fact)}</td></tr>" for fact in facts)
            for _, h, facts in p
        )
        + "</table>"
    ),
    "one_paragraph.html": lambda p: (
        "<p>" + _html(p, "<b>{}</b><br>", "{}", "\u2022 {}<br>") + "</p>"
    ),
    "word.html": lambda p: _html(
        p,
        "<p class=MsoNormal><b>{}</b></p>",
        "{}",
        "<p class=MsoListParagraph><span>\xb7<span>&nbsp;&nbsp; </span></span>{}</p>",
    ),
    "terms.html": lambda p: "<dl>" + _html(p, "<dt>{}</dt>", "{}", "<dd>{}</dd>") + "</dl>",
    "tables.html": lambda p: _html(p, "<h2>{}</h2>", "<table>{}</table>", "<tr><td>{}</td></tr>"),
}


def _document(parts, kind):
    document = docx.Document()
    table = document.add_table(rows=0, cols=2) if kind == "table" else None
    for section, heading, facts in parts:
        if table is not None:
            cells = table.add_row().cells
            cells[0].text, cells[1].text = heading, "\n".join(facts)
            continue
        if kind == "styles":
            document.add_heading(heading, 2)
        else:
            document.add_paragraph().add_run(heading).bold = kind == "bold"
        for fact in facts:
            document.add_paragraph(fact, style=None if section in PROSE else "List Bullet")
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


DOCUMENTS = {
    f"{kind}.docx": lambda p, kind=kind: _document(p, kind)
    for kind in ("styles", "bold", "plain", "table")
}


def layouts():
    """Each layout by the name of its file: a function of (section, heading, facts) to bytes."""
    texts = {
        name: lambda p, write=write: write(p).encode() for name, write in (TEXTS | PAGES).items()
    }
    return texts | DOCUMENTS
