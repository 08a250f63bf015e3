"""Text files from anywhere: compression, encoding and delimiter found or told, every fault with its line."""

import codecs
import csv
import gzip
import io
import logging
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from joblens.errors import DataError
from joblens.sources.columns import ADVICE, check_columns

logger = logging.getLogger(__name__)

DELIMITERS = (",", ";", "\t", "|")

_CHUNK = 1 << 20
_SAMPLE = 1 << 18  # bytes of non-ASCII lines that the encoding is guessed from
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ONE_BYTE = (
    "cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp1257 iso8859_2 iso8859_5 iso8859_7 koi8_r".split()
)
"""What older programs write, the most common first: it decides where several fit equally well."""
_MANY_BYTES = "gb18030 big5 shift_jis euc_jp euc_kr".split()


def csv_rows(
    path: Path,
    wanted: Sequence[str],
    delimiter: str | None,
    encoding: str | None,
    *,
    advice: str = ADVICE,
) -> Iterator[list[str]]:
    """The wanted cells of each row, in the order of `wanted`; blank lines are no rows.

    Raises:
        DataError: A column is missing, a row has another number of cells than the header, a quote is never
            closed, or the bytes are not of the encoding.
    """
    csv.field_size_limit(sys.maxsize)  # the default refuses adverts above 128 kB
    encoding = encoding or detect_encoding(path)
    delimiter = delimiter or _detect_delimiter(path, wanted, encoding)
    reader = csv.reader(text_lines(path, encoding), delimiter=delimiter, strict=True)
    started = 1
    try:
        header = next(reader, [])
        check_columns(wanted, header, str(path), advice=advice)
        places = [header.index(name) for name in wanted]
        started = reader.line_num + 1
        for row in reader:
            if len(row) == len(header):
                yield [row[place] for place in places]
            elif row:
                raise DataError(
                    f"{path} line {started} has {len(row)} cells, the header has {len(header)}; "
                    "quote cells that hold a delimiter, or set data.delimiter"
                )
            started = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path} has a row from line {started} that is not csv ({error}); "
            "close and double the quotes in it, or set data.delimiter"
        ) from None


def csv_header(path: Path, wanted: Sequence[str]) -> list[str]:
    """The names in the first line, its delimiter and encoding found out.

    Raises:
        DataError: The bytes are of no known encoding.
    """
    encoding = detect_encoding(path)
    return _header(path, _detect_delimiter(path, wanted, encoding), encoding)


def text_lines(path: Path, encoding: str | None) -> Iterator[str]:
    """The lines of a file with their ends, whatever it is compressed with.

    Raises:
        DataError: A byte is not of the encoding (its line and place are told), or the file is damaged.
    """
    encoding = encoding or detect_encoding(path)
    try:
        decoder = codecs.lookup(encoding)
    except LookupError:
        raise DataError(
            f"data.encoding is {encoding!r}, expected one that Python knows; try utf-8 or cp1252"
        ) from None
    with open_bytes(path) as stream:
        try:
            with io.TextIOWrapper(stream, encoding=decoder.name, newline="") as text:
                yield from text
        except UnicodeError:
            raise _wrong_bytes(path, decoder.name) from None


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a plain, gzip or zstd file, told apart by their first bytes.

    Raises:
        DataError: The compressed file is damaged or cut off.
    """
    import pyarrow as pa

    with path.open("rb") as file:
        magic = file.read(4)
    try:
        if magic[:2] == b"\x1f\x8b":
            with gzip.open(path, "rb") as stream:
                yield cast(BinaryIO, stream)
        elif magic == b"\x28\xb5\x2f\xfd":
            with pa.input_stream(str(path), compression="zstd") as stream:
                yield cast(BinaryIO, io.BufferedReader(stream))
        else:
            with path.open("rb") as stream:
                yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error, pa.ArrowException) as error:
        raise DataError(f"{path} is damaged or cut off ({error}); copy or export it again") from error


def detect_encoding(path: Path) -> str:
    """The encoding by byte order mark, else UTF-8 if every byte fits, else the likeliest of the older ones.

    Raises:
        DataError: Some lines are UTF-8 and others are not, or no encoding fits.
    """
    with open_bytes(path) as stream:
        head = stream.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if _first_wrong_byte(path, "utf-8") is None:
        return "utf-8"
    encoding = _guess_encoding(path)
    logger.info("%s is not UTF-8; read as %s (data.encoding overrules)", path, encoding)
    return encoding


def _guess_encoding(path: Path) -> str:
    from charset_normalizer import from_bytes

    sample = bytearray()
    modern = old = 0
    with open_bytes(path) as stream:
        for line in stream:
            if line.isascii():
                continue
            if _is_utf8(line):
                modern += 1
            else:
                old += 1
                if len(sample) < _SAMPLE:
                    sample += line[: _SAMPLE - len(sample)]
    order = _ONE_BYTE + _MANY_BYTES
    best = min(
        from_bytes(bytes(sample), cp_isolation=order),
        key=lambda match: (round(match.chaos, 2), -round(match.coherence, 1), order.index(match.encoding)),
        default=None,
    )
    # A pair of bytes of a Chinese or Japanese file may look like UTF-8; a letter of a Western one does not.
    fits = best is not None and (modern == 0 or (best.encoding in _MANY_BYTES and modern < old))
    if best is None or not fits:
        raise _wrong_bytes(path, "utf-8", f"{modern:,} other lines are" if modern else "")
    return best.encoding


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _first_wrong_byte(path: Path, encoding: str) -> tuple[int, int, int] | None:
    """Line (from 1), offset (from 0) and value of the first byte that does not decode; None if all do."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with open_bytes(path) as stream:
        done = 0
        line = 1
        while True:
            chunk = stream.read(_CHUNK)
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                start = done - waiting + error.start
                line += error.object[waiting : error.start].count(b"\n")
                return line, start, error.object[error.start]
            if not chunk:
                return None
            done += len(chunk)
            line += chunk.count(b"\n")


def _wrong_bytes(path: Path, encoding: str, why: str = "") -> DataError:
    found = _first_wrong_byte(path, encoding)
    line, offset, value = found or (1, 0, 0)
    return DataError(
        f"{path} line {line} (byte {offset}, 0x{value:02x}) is not {encoding}{why and f' though {why}'}: "
        "the file mixes encodings or has another one; save it as UTF-8, or set data.encoding"
    )


def _detect_delimiter(path: Path, wanted: Sequence[str], encoding: str) -> str:
    """The delimiter whose header holds most of the wanted columns; on a tie, the one with most columns."""

    def score(delimiter: str) -> tuple[int, int]:
        header = _header(path, delimiter, encoding)
        return (sum(name in header for name in wanted), len(header))

    return max(DELIMITERS, key=score)


def _header(path: Path, delimiter: str, encoding: str) -> list[str]:
    try:
        return next(csv.reader(text_lines(path, encoding), delimiter=delimiter), [])
    except csv.Error:  # with this delimiter the first line is no csv
        return []
