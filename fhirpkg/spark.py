"""Validation on Apache Spark: `pip install 'fhirpkg[spark]'`, and docs/spark.md for a cluster.

NDJSON and Parquet in, a DataFrame of findings out. Two passes: the first makes the index by which
references lead from line to line, the second checks. Nothing depends on which worker does what, so
a task that is tried again finds the same.
"""

from __future__ import annotations

import pickle
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everybody calls them

from fhirpkg.bulk import Checker, Line, Row, index_of
from fhirpkg.corpus.index import Index
from fhirpkg.errors import ConfigError
from fhirpkg.packages.package import Package, read_package
from fhirpkg.releases import R4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.validation.run import Settings

FINDINGS = "file string, line long, severity string, rule string, expression string, text string"
"""The columns of the result."""
_ARROW = pa.schema(
    [(name, pa.int64() if kind == "long" else pa.string()) for name, kind in
     (column.strip().split() for column in FINDINGS.split(","))]
)  # fmt: skip
_PART = "block string, lines long, part binary"
_PART_ARROW = pa.schema([("block", pa.string()), ("lines", pa.int64()), ("part", pa.binary())])
_checkers: dict[str, tuple[Checker, dict[str, int]]] = {}
"""The checker of a worker process and where blocks start, by the check that they are for."""


def validate(
    source: DataFrame | str | Path,
    *,
    spark: SparkSession | None = None,
    packages: Iterable[str | Package | Path] = (),
    profiles: Iterable[str] = (),
    keeping: Iterable[str] = (),
    settings: Settings | None = None,
    fhir_version: str = R4.version,
    column: str = "value",
) -> DataFrame:
    """The findings of `validate` for many resources, as a DataFrame with the columns FINDINGS.

    `source` is a path or pattern of NDJSON or Parquet, or a DataFrame with a resource as JSON text
    in each row of `column`; its columns `file` and `line`, where it has them, say where a resource
    is. `packages` are files that the driver reads, or ``name#version`` from its package cache;
    the workers need no cache. `keeping` are types of resources that profiles look into when a
    reference leads to them; definitions are always kept. Needs a SparkContext (not Spark Connect).

        findings = fhirpkg.spark.validate("export/*.ndjson", profiles=[...])
        findings.groupBy("rule").count().show()

    Raises PackageError for a package that cannot be had, ConfigError for a column that is not
    there or a profile that is not loaded.
    """
    session = spark or SparkSession.builder.getOrCreate()
    lines = _placed(source, session, column)
    index, starts = _index(lines, tuple(keeping), fhir_version)
    options = {
        "packages": tuple(map(_read, packages)),
        "profiles": tuple(profiles),
        "settings": settings,
        "fhir_version": fhir_version,
    }
    Checker(**options, index=index)  # type: ignore[arg-type]  # errors are reported here, once
    shared = session.sparkContext.broadcast(pickle.dumps((options, index, starts)))
    key = uuid.uuid4().hex
    return lines.mapInArrow(_checking(key, shared), FINDINGS)


def _read(package: str | Package | Path) -> Package:
    """A package as it travels to the workers, its files in memory."""
    from fhirpkg.packages.cache import resolve_package  # noqa: PLC0415 - by name only

    if isinstance(package, Package):
        read = package
    elif isinstance(package, Path) or Path(package).exists():
        read = read_package(Path(package))
    else:
        read = resolve_package(package, offline=True)
    return Package(read.manifest, dict(read.files))


def _placed(source: DataFrame | str | Path, spark: SparkSession, column: str) -> DataFrame:
    """Rows of text, file, line and block; a line in a block counts from where the block begins."""
    if isinstance(source, DataFrame):
        frame = source
    elif ".parquet" in str(source) or list(Path(str(source)).glob("*.parquet")):
        frame = spark.read.parquet(str(source))
    else:
        text = spark.read.option("lineSep", "\n").text(str(source))
        place = F.col("_metadata.file_path")
        block = F.concat_ws(":", place, F.col("_metadata.file_block_start"))
        return text.select(
            F.col("value").alias("text"), place.alias("file"), F.lit(0).alias("line"),
            block.alias("block"),
        )  # fmt: skip
    if column not in frame.columns:
        raise ConfigError(
            f"there is no column '{column}'; the columns are {', '.join(frame.columns)}"
        )
    file = F.col("file") if "file" in frame.columns else F.lit("")
    line = F.col("line").cast("long") if "line" in frame.columns else F.lit(1)
    return frame.select(
        F.col(column).cast("string").alias("text"), file.alias("file"), line.alias("line"),
        F.lit("").alias("block"),
    )  # fmt: skip


def _index(
    lines: DataFrame, keeping: tuple[str, ...], fhir_version: str
) -> tuple[Index, dict[str, int]]:
    """The index of all lines, and how many lines of its file precede each block."""

    def indexing(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        counts: dict[str, int] = {}

        def texts() -> Iterator[str]:
            for batch in batches:
                for row in batch.to_pylist():
                    counts[row["block"]] = counts.get(row["block"], 0) + 1
                    yield row["text"] or ""

        part = pickle.dumps(index_of(texts(), keeping=keeping, fhir_version=fhir_version))
        rows = [{"block": name, "lines": count} for name, count in counts.items()]
        yield pa.RecordBatch.from_pylist([{"part": part}, *rows], schema=_PART_ARROW)

    found = lines.mapInArrow(indexing, _PART).collect()
    parts = (pickle.loads(row["part"]) for row in found if row["part"] is not None)  # noqa: S301 - ours
    return Index().merged(parts), _starts({r["block"]: r["lines"] for r in found if r["block"]})


def _starts(lines: dict[str, int]) -> dict[str, int]:
    """The lines before each block, ``file:offset``, by the lines in each."""
    starts: dict[str, int] = {}
    before: dict[str, int] = {}
    for block in sorted(lines, key=lambda name: int(name.rpartition(":")[2])):
        file = block.rpartition(":")[0]
        starts[block] = before.get(file, 0)
        before[file] = starts[block] + lines[block]
    return starts


def _checking(
    key: str, shared: Any
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a worker does with its rows; the checker stays for the next task of the process."""

    def checking(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        checker, starts = _checker(key, shared)
        counts = dict(starts)
        for batch in batches:
            rows = list(checker.findings(_lines(batch, counts)))
            columns = list(zip(*rows, strict=True)) if rows else [()] * len(Row._fields)
            arrays = [pa.array(list(c), f.type) for c, f in zip(columns, _ARROW, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=_ARROW)

    return checking


def _checker(key: str, shared: Any) -> tuple[Checker, dict[str, int]]:
    """The checker of this process, made for its first task, and the lines before each block.

    A task's own function gets copies of the variables that it names; this one is imported.
    """
    if key not in _checkers:
        options, index, starts = pickle.loads(shared.value)  # noqa: S301 - ours
        _checkers.clear()
        _checkers[key] = (Checker(**options, index=index), starts)
    return _checkers[key]


def _lines(batch: pa.RecordBatch, counts: dict[str, int]) -> Iterator[Line]:
    for row in batch.to_pylist():
        block, number = row["block"], row["line"]
        if block:
            number = counts[block] = counts[block] + 1
        yield Line(_path(row["file"]), number or 1, row["text"] or "")


def _path(file: str) -> str:
    """A path as people write it; urls of other stores stay."""
    return unquote("/" + file.removeprefix("file:").lstrip("/")) if file[:5] == "file:" else file
