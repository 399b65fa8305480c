"""Commands on songs: add, process, ask, and see what lies there."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundforge_nb.cli.common import DONE, INTERRUPTED, SOME_FAILED, Commands, attached, print_json
from soundforge_nb.errors import UsageError
from soundforge_nb.forge.tracks import TrackList
from soundforge_nb.pipeline.links import is_link
from soundforge_nb.spotify.urls import is_spotify

if TYPE_CHECKING:
    from soundforge_nb.forge.batch import Batch


#: What an argument of a command's shows to everyone on this machine, for as long as it runs.
_PATHS = (
    "a file, folder, glob or link; - reads them from standard input, one a line: "
    "so for links that hold a key, for a command line can be read by everyone on this machine"
)
_KEY_HINT = (
    "soundforge: a link with a key is better read by soundforge {command} -; others can list this one."
)


def add_commands(command: Commands) -> None:
    """add, match, unmatch, process, demo, jobs, storage, sql."""
    add = command("add", _add, "add files, folders, globs or links to audio to the library")
    add.add_argument("paths", nargs="+", metavar="PATH", help=_PATHS)
    match = command("match", _match, "say that a track of Spotify's is a file of yours")
    match.add_argument("song", metavar="LINK")
    match.add_argument("file", metavar="FILE")
    unmatch = command("unmatch", _unmatch, "say that a file is not the track of Spotify's it was taken for")
    unmatch.add_argument("named", metavar="FILE_OR_LINK")
    process = command("process", _process, "separate and analyze files, and wait for it")
    process.add_argument("paths", nargs="+", metavar="PATH", help=_PATHS)
    process.add_argument("--separate", metavar="MODEL", help="demo, htdemucs, htdemucs_ft …")
    process.add_argument(
        "--analyze", metavar="FEATURES", help="all, or some of tempo,key,energy,spectral,mfcc,chroma"
    )
    process.add_argument("--analyze-stems", metavar="FEATURES", help="the same, for each stem")
    process.add_argument("--stems", metavar="NAMES", help="only these stems, as vocals,drums")
    process.add_argument("--two-stems", metavar="STEM", help="this stem, and the mixture without it")
    process.add_argument("--shifts", type=int, help="passes at random shifts, averaged")
    process.add_argument("--format", help="wav_float32, wav_int24, flac or mp3")
    process.add_argument(
        "--output-folder", metavar="FOLDER", help="write stems, analyses and a manifest here"
    )
    process.add_argument("--no-wait", action="store_true", help="return at once; the jobs run on")
    demo = command("demo", _demo, "take the demo song through the whole house")
    demo.add_argument("--output-folder", metavar="FOLDER", default="soundforge-demo")
    jobs = command("jobs", _jobs, "list jobs, the newest first")
    jobs.add_argument("--batch", metavar="ID", help="only those of a batch")
    jobs.add_argument("--limit", type=int, default=50)
    storage = command("storage", _storage, "tell what the data folder holds, and what nobody needs of it")
    storage.add_argument("--clean", action="store_true", help="remove what nobody needs")
    storage.add_argument("--grace-days", type=float, metavar="N", help="left alone for so long (7)")
    sql = command("sql", _sql, "ask the library one SELECT")
    sql.add_argument("query")


def _add(arguments: argparse.Namespace) -> int:
    named = _named(arguments)
    with attached(arguments, start=True) as forge:
        tracks = forge.add(*named)
    if arguments.json:
        print_json(
            {
                "tracks": [vars(track) for track in tracks],
                "rejected": [vars(entry) for entry in tracks.rejected],
                "notes": tracks.notes,
            }
        )
    else:
        print(tracks)
    return SOME_FAILED if tracks.rejected else DONE


def _named(arguments: argparse.Namespace) -> list[str]:
    """What a person named: as arguments, or for each “-” by lines of standard input."""
    named: list[str] = []
    for text in arguments.paths:
        if text == "-":
            named += [line.rstrip("\r\n") for line in sys.stdin if line.strip()]
        else:
            named.append(text)
            # Spotify's links carry a mark of who shared them, which is no key.
            if is_link(text) and "?" in text and not is_spotify(text):
                print(_KEY_HINT.format(command=arguments.command), file=sys.stderr)
    if not named:
        raise UsageError("Nothing was named on standard input.", "Give a path or a link a line.")
    return named


def _match(arguments: argparse.Namespace) -> int:
    with attached(arguments, start=True) as forge:
        track = forge.match(arguments.song, arguments.file)
    print_json(vars(track)) if arguments.json else print(TrackList([track]))
    return DONE


def _unmatch(arguments: argparse.Namespace) -> int:
    with attached(arguments, start=True) as forge:
        tracks = forge.unmatch(arguments.named)
    print_json([vars(track) for track in tracks]) if arguments.json else print(tracks)
    return DONE


def _process(arguments: argparse.Namespace) -> int:
    options = {
        name: getattr(arguments, name)
        for name in ("shifts", "two_stems", "format")
        if getattr(arguments, name) is not None
    }
    if arguments.stems:
        options["stems"] = [name.strip() for name in arguments.stems.split(",")]
    if options and not arguments.separate:
        raise UsageError("Options of a separation were given without --separate.", "Add --separate MODEL.")
    separate: Any = {"model": arguments.separate, **options} if arguments.separate else None
    named = _named(arguments)
    with attached(arguments, start=True) as forge:
        tracks = forge.add(*named)
        batch = forge.process(
            tracks,
            separate=separate,
            analyze=arguments.analyze,
            analyze_stems=arguments.analyze_stems,
            output_folder=arguments.output_folder,
        )
        if arguments.no_wait:
            print_json(batch.snapshot()) if arguments.json else print(batch.batch_id)
            return DONE
        try:
            see = f"see soundforge jobs --batch {batch.batch_id}"
            batch.wait(progress=not arguments.json, interrupted=see)
        except KeyboardInterrupt:
            return INTERRUPTED
        return _report(arguments, batch)


def _report(arguments: argparse.Namespace, batch: Batch) -> int:
    snapshot = batch.snapshot()
    if arguments.json:
        results = json.loads(batch.results().to_json(orient="records"))
        print_json({**snapshot, "results": results})
    else:
        # Its headline is the last line of progress.
        print(str(batch).partition("\n")[2])
        print(batch.results().drop(columns=["track_id", "stems"]).to_string(index=False))
    return SOME_FAILED if snapshot["failures"] else DONE


def _demo(arguments: argparse.Namespace) -> int:
    from soundforge_nb.forge.demo import MODEL, run_demo

    folder = Path(arguments.output_folder).absolute()
    with attached(arguments, start=True) as forge:
        batch, stems = run_demo(forge, folder)
        results = batch.results()
        snapshot = batch.snapshot()
    if arguments.json:
        stems_json = json.loads(stems.to_json(orient="records"))
        print_json(
            {**snapshot, "results": json.loads(results.to_json(orient="records")), "stems": stems_json}
        )
    elif snapshot["failures"]:
        print(batch)
    else:
        row = results.iloc[0]
        print(f"\n{row['title']}: {row['tempo']:.1f} BPM, {row['key']}")
        print(stems.round(2).to_string(index=False))
        print(f"What the stems leave of the mixture: {row['null_residual_db']:.1f} dB")
        print(f'Model: {MODEL}, a small one for trying out; htdemucs is for work (separate="htdemucs").')
        print(f"Stems, analysis, picture and manifest: {folder}")
    return SOME_FAILED if snapshot["failures"] else DONE


def _jobs(arguments: argparse.Namespace) -> int:
    with attached(arguments, start=False) as forge:
        jobs = forge.jobs(arguments.batch).head(arguments.limit)
    if arguments.json:
        print(jobs.to_json(orient="records", date_format="iso"))
    else:
        print(jobs[["job_id", "kind", "state", "attempt", "progress", "error"]].to_string(index=False))
    return DONE


def _storage(arguments: argparse.Namespace) -> int:
    with attached(arguments, start=True) as forge:
        found = forge.storage(clean=arguments.clean, grace_days=arguments.grace_days)
    if arguments.json:
        print_json(vars(found))
    else:
        print(str(found).replace("forge.storage(clean=True) removes them", "--clean removes them"))
    return DONE


def _sql(arguments: argparse.Namespace) -> int:
    with attached(arguments, start=True) as forge:
        frame = forge.sql(arguments.query).df()
    if arguments.json:
        print(frame.to_json(orient="records", date_format="iso"))
    else:
        print(frame.to_string(index=False))
    return DONE
