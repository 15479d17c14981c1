"""Answers with what pydicom makes of DICOM files, for tests/dicom/corpora.rs.

Reads one path a line. Answers each with one line of JSON, and where that says "bytes": n, with n bytes: the stored values of
all frames as little-endian int32, row by row.
"""

import json
import sys
import warnings

import numpy
import pydicom
from pydicom.pixels import pixel_array

warnings.simplefilter("ignore")


def transformation(dataset, frame):
    """Slope and intercept of a frame (PS3.3 C.11.1, C.7.6.16.2.9): its own, all frames', the data set's, or none."""
    groups = []
    if frame < len(dataset.get("PerFrameFunctionalGroupsSequence") or []):
        groups.append(dataset.PerFrameFunctionalGroupsSequence[frame])
    groups.extend(dataset.get("SharedFunctionalGroupsSequence") or [])
    for group in groups:
        for item in group.get("PixelValueTransformationSequence") or []:
            return [float(item.RescaleSlope), float(item.RescaleIntercept)]
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    return [1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept)]


def padding(dataset):
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = sorted([int(value), int(value if limit is None else limit)])
    # The element's VR may contradict the pixels' sign; its 16 bits are the pixels' own.
    if dataset.get("PixelRepresentation") == 1:
        ends = sorted(end - 0x10000 if end > 0x7FFF else end for end in ends)
    return ends


def answer(path):
    try:
        dataset = pydicom.dcmread(path, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            implicit, little = dataset.original_encoding
            known = {(True, True): "1.2.840.10008.1.2", (False, True): "1.2.840.10008.1.2.1"}
            dataset.file_meta.TransferSyntaxUID = known.get((implicit, little), "1.2.840.10008.1.2.2")
        stored = pixel_array(dataset, raw=True)
        frames = int(dataset.get("NumberOfFrames") or 1)
        samples = int(dataset.SamplesPerPixel)
        facts = {
            "rows": int(dataset.Rows),
            "columns": int(dataset.Columns),
            "frames": frames,
            "samples": samples,
            "photometric": str(dataset.PhotometricInterpretation),
            "bits": int(dataset.BitsAllocated),
            "integers": bool(numpy.issubdtype(stored.dtype, numpy.integer)),
            "syntax": str(dataset.file_meta.TransferSyntaxUID),
            "luts": [transformation(dataset, frame) for frame in range(frames)],
            "padding": padding(dataset),
        }
        values = b""
        if samples == 1 and facts["integers"] and facts["bits"] <= 16:
            values = stored.astype("<i4").tobytes()
        return facts | {"bytes": len(values)}, values
    except Exception as error:  # Whatever pydicom and its decoders say of a broken file.
        return {"error": f"{type(error).__name__}: {error}"}, b""


def main():
    for line in sys.stdin:
        facts, values = answer(line.rstrip("\n"))
        sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + values)
        sys.stdout.buffer.flush()


main()
