"""Made-up feature maps as the exporter reads them, and tables that are kept in memory."""

import numpy as np

from exporter.tables import Table, encode_table


class MadeMaps:
    """Maps of images: given float arrays (rows, cols, channels)."""

    def __init__(self, features):
        self.features = [np.asarray(one, np.float32) for one in features]
        self.grids = [one.shape[:2] for one in self.features]
        self.channels = self.features[0].shape[-1]

    def read(self, image):
        return self.features[image].reshape(-1, self.channels)

    @property
    def flat(self):
        """All patches, (patches, channels)."""
        return np.concatenate([self.read(image) for image in range(len(self.grids))])


class Kept:
    """What is written, by name: numbers, and bytes of files."""

    def __init__(self):
        self.numbers, self.files = {}, {}

    def __call__(self, name, values, type):
        self.numbers[name], self.files[name] = np.asarray(values), encode_table(values, type)
        return Table(f"tables/{name}.bin", len(self.files[name]), "0" * 64, type, values.shape)
