"""Notes in skipline.json what TensorFlow reads in the shards of skipline/, which Skipline wrote (see make_records.py),
with a hash of each shard's bytes: as long as Skipline writes the same bytes, TensorFlow reads the same values."""

import base64
import hashlib
import json
import os

import tensorflow as tf

here = os.path.dirname(os.path.abspath(__file__))


def fnv1a(data):
    """FNV-1a, 64 bits, as in Skipline's stableHash."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def main():
    folder = os.path.join(here, "skipline")
    with open(os.path.join(folder, "labels.txt")) as file:
        facts = {"labels": file.read(), "shards": []}
    for shard in sorted(name for name in os.listdir(folder) if name != "labels.txt"):
        path = os.path.join(folder, shard)
        with open(path, "rb") as file:
            data = file.read()
        records = []
        for number, record in enumerate(tf.data.TFRecordDataset(path)):
            example = tf.train.Example.FromString(record.numpy())
            features = {}
            for key, feature in sorted(example.features.feature.items()):
                kind = feature.WhichOneof("kind")
                (value,) = getattr(feature, kind).value
                if key == "image/encoded":
                    features["bytes"], features["fnv1a"] = len(value), fnv1a(value)
                    shape = tf.io.decode_image(value).shape
                    features["decoded"] = [int(side) for side in shape]
                else:
                    features[key] = value.decode() if kind == "bytes_list" else value
            # The way TF-slim's input pipelines read it.
            parsed = tf.io.parse_single_example(record, {
                "image/encoded": tf.io.FixedLenFeature((), tf.string),
                "image/format": tf.io.FixedLenFeature((), tf.string),
                "image/class/label": tf.io.FixedLenFeature((), tf.int64),
                "image/class/text": tf.io.FixedLenFeature((), tf.string),
            })
            assert int(parsed["image/class/label"]) == features["image/class/label"]
            again = example.SerializeToString(deterministic=True)
            features["same bytes from TensorFlow"] = again == record.numpy()
            records.append(features)
            print(f"{shard} record {number}: {features['image/filename']} {features['image/class/text']}"
                  f" {features['decoded']} same bytes: {features['same bytes from TensorFlow']}")
        # And the file as a whole, framing included.
        copy = os.path.join(os.environ.get("TMPDIR", "/tmp"), "skipline-copy.tfrecord")
        with tf.io.TFRecordWriter(copy) as writer:
            for record in tf.data.TFRecordDataset(path):
                writer.write(tf.train.Example.FromString(record.numpy()).SerializeToString(deterministic=True))
        with open(copy, "rb") as file:
            same = file.read() == data
        os.remove(copy)
        print(f"{shard}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}, TensorFlow writes the same: {same}")
        facts["shards"].append({
            "name": shard, "bytes": len(data), "fnv1a": fnv1a(data), "sameFromTensorFlow": same, "records": records})
    with open(os.path.join(here, "skipline.json"), "w") as file:
        json.dump(facts, file, indent=1, sort_keys=True)
    print(f"TensorFlow {tf.__version__}")


main()
