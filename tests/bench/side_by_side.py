"""cspine's reading beside pydicom's and dcmtk's, in one run on one machine. tests/bench/run starts it."""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pydicom

# What cspine takes from a header, by and large; dcmdump is asked for the same.
TAGS = [
    "0008,0018", "0008,0020", "0008,0030", "0008,0060", "0008,1030", "0008,103e", "0010,0010", "0010,0020", "0018,1210",
    "0020,000d", "0020,000e", "0020,0013", "0020,0032", "0020,0037", "0028,0010", "0028,0011", "0028,0030",
]


def pydicom_headers(folder):
    """Seconds for every header below a folder, as cspine takes them, without Python's start and imports."""
    begun = time.perf_counter()
    count = 0
    for path in sorted(Path(folder).rglob("*.dcm")):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        count += 1
        dataset.StudyInstanceUID, dataset.ImagePositionPatient, dataset.PatientName
    return time.perf_counter() - begun, count


def pydicom_volume(folder):
    """Seconds for a volume of Hounsfield units, by pydicom and its decoders."""
    import numpy
    from pydicom.pixels import apply_modality_lut

    begun = time.perf_counter()
    slices = [pydicom.dcmread(path) for path in sorted(Path(folder).glob("*.dcm"))]
    slices.sort(key=lambda dataset: float(dataset.ImagePositionPatient[2]))
    for dataset in slices:
        dataset.pixel_array_options(decoding_plugin="pylibjpeg")
    volume = numpy.stack([apply_modality_lut(dataset.pixel_array, dataset).astype("i2") for dataset in slices])
    return time.perf_counter() - begun, volume.shape


def timed(command, **options):
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    return time.perf_counter() - begun


def cspine(arguments, threads=None):
    environment = dict(os.environ, **({"RAYON_NUM_THREADS": str(threads)} if threads else {}))
    done = subprocess.run(arguments, check=True, capture_output=True, text=True, env=environment)
    return [float(word) for word in done.stdout.split()]


def line(what, seconds, note=""):
    print(f"  {what:<44} {statistics.median(seconds):8.3f} s   (least {min(seconds):.3f}, most {max(seconds):.3f}){note}")


def goal(what, ratio, at_least):
    verdict = "reached" if ratio >= at_least else "MISSED"
    print(f"  {what}: {ratio:.2f} (goal: at least {at_least}) {verdict}")
    return ratio >= at_least


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", help="the program that `cargo bench --bench parts` builds")
    parser.add_argument("work", type=Path, help="a folder for the inputs")
    parser.add_argument("--from", dest="study", type=Path, required=True, help="a study whose slices are compressed")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    headers, lossless = options.work / f"headers-{options.files}", options.work / f"lossless-{options.slices}"
    if not headers.exists():
        subprocess.run([options.parts, "headers", headers, str(options.files)], check=True)
    if not lossless.exists():
        subprocess.run([options.parts, "lossless", options.study, lossless, str(options.slices)], check=True)
    cores = len(os.sched_getaffinity(0))
    dcmdump = shutil.which("dcmdump")
    reached = True

    print(f"headers of {options.files} files, {cores} cores, {options.rounds} rounds, one after the other in each")
    times = {name: [] for name in ("cspine", "one", "whole", "pydicom", "dcmdump")}
    for _ in range(options.rounds):
        times["cspine"].append(cspine([options.parts, "scan", headers])[0])
        times["one"].append(cspine([options.parts, "scan", headers], threads=1)[0])
        times["whole"].append(timed([options.parts, "scan", headers]))
        times["pydicom"].append(pydicom_headers(headers)[0])
        if dcmdump:
            wanted = [word for tag in TAGS for word in ("+P", tag)]
            times["dcmdump"].append(timed([dcmdump, "-q", "+r", "+sd", *wanted, headers]))
    line("cspine, scan to studies", times["cspine"])
    line("cspine, one thread", times["one"])
    line("cspine, the whole process", times["whole"])
    line("pydicom, stop_before_pixels", times["pydicom"])
    reached &= goal("pydicom / cspine", statistics.median(times["pydicom"]) / statistics.median(times["cspine"]), 10)
    if dcmdump:
        line("dcmdump +P, the whole process", times["dcmdump"])
        reached &= goal(
            "dcmdump / cspine, whole processes",
            statistics.median(times["dcmdump"]) / statistics.median(times["whole"]),
            1,
        )
    else:
        print("  dcmdump is not installed (dcmtk): not compared")

    print(f"volume of {options.slices} JPEG lossless slices, {cores} cores")
    times = {name: [] for name in ("cspine", "one", "pydicom")}
    for _ in range(max(options.rounds // 2, 1)):
        seconds, voxels, peak = cspine([options.parts, "load", lossless])
        times["cspine"].append(seconds)
        times["one"].append(cspine([options.parts, "load", lossless], threads=1)[0])
        times["pydicom"].append(pydicom_volume(lossless)[0])
    line("cspine", times["cspine"], f"   {voxels / statistics.median(times['cspine']):.0f} MiB/s of voxels")
    line("cspine, one thread", times["one"])
    line("pydicom with pylibjpeg", times["pydicom"])
    goal("pydicom / cspine", statistics.median(times["pydicom"]) / statistics.median(times["cspine"]), 1)
    reached &= goal(
        f"one thread / {cores} cores", statistics.median(times["one"]) / statistics.median(times["cspine"]), 0.8 * cores
    )
    print(f"  peak memory {peak:.0f} MiB, voxels {voxels:.0f} MiB: {peak / voxels:.2f} times (goal: at most 1.3)", end=" ")
    print("reached" if peak <= 1.3 * voxels else "MISSED")
    reached &= peak <= 1.3 * voxels
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
