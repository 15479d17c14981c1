import numpy as np
import pytest
from support import affine, write_nifti

from cspine_train import TrainingError
from cspine_train.nifti import read_labels


def marked() -> np.ndarray:
    """`[z, y, x]` in patient directions (z to the head): label 3 at the head, front and right; 5 one to the left."""
    labels = np.zeros((4, 6, 8), np.uint8)
    labels[3, 0, 0], labels[3, 0, 1], labels[0, 5, 7] = 3, 5, 7
    return labels


@pytest.mark.parametrize("flip_z", [False, True])
@pytest.mark.parametrize("flip_y", [False, True])
@pytest.mark.parametrize("flip_x", [False, True])
def test_stored_order_does_not_matter(tmp_path, flip_x, flip_y, flip_z):
    labels = marked()
    signs = [1 if flip_x else -1, 1 if flip_y else -1, -1 if flip_z else 1]
    stored = labels[:: -1 if flip_z else 1, :: -1 if flip_y else 1, :: -1 if flip_x else 1]
    matrix = np.diag([*(np.array(signs) * [0.5, 0.5, 2.0]), 1.0])
    matrix[2, 3] = 16.0 if flip_z else 10.0
    write_nifti(tmp_path / "a.nii", stored.transpose(2, 1, 0), matrix)
    volume = read_labels(tmp_path / "a.nii")
    np.testing.assert_array_equal(volume.labels, labels)
    np.testing.assert_allclose(volume.z_mm, [10, 12, 14, 16])


def test_gzip_big_endian_and_permuted_axes(tmp_path):
    labels = marked().astype(np.int16)
    matrix = np.zeros((4, 4))
    matrix[2, 0], matrix[0, 1], matrix[1, 2], matrix[3, 3] = 1.0, -1.0, -1.0, 1.0
    write_nifti(tmp_path / "a.nii.gz", labels.transpose(0, 2, 1), matrix, order=">")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.nii.gz").labels, labels)


def test_slice_is_found_by_position_only_inside_the_volume(tmp_path):
    write_nifti(tmp_path / "a.nii", np.zeros((2, 2, 5), np.uint8), affine(z_top=12.0))
    volume = read_labels(tmp_path / "a.nii")
    assert [volume.slice_at(z) for z in (12.0, 10.6, 0.0, -1.5)] == [4, 4, 0, 0]
    assert [volume.slice_at(z) for z in (14.0, -2.0, float("nan"))] == [None, None, None]


def test_truncated_and_foreign_files_say_what_to_do(tmp_path):
    path = tmp_path / "a.nii"
    write_nifti(path, np.zeros((4, 4, 4), np.uint8), affine())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TrainingError, match="copy it again"):
        read_labels(path)
    path.write_bytes(b"x" * 400)
    with pytest.raises(TrainingError, match="not a NIfTI-1 file"):
        read_labels(path)
