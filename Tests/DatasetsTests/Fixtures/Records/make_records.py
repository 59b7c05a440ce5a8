"""Writes the TFRecord shards of this folder with TensorFlow's own writer, and what they hold as JSON.

    python make_records.py

needs TensorFlow (2.21 made the files here; pip install tensorflow-cpu). It writes, beside itself:

    images/{train,val}/<class>/   tiny images of its own, in TensorFlow's PNG and JPEG
    tensorflow/                   shards that tf.io.TFRecordWriter wrote, in three dialects
    abc.tfrecord                  the three bytes "abc" as a record
    tensorflow.json               each record of them as TensorFlow's own reader gives it back

Then have Skipline write images/ as shards,

    skipline cache images --tfrecord skipline --shards 2

and run read_records.py, which notes what TensorFlow reads in them.
"""

import base64
import json
import os
import shutil

import tensorflow as tf

here = os.path.dirname(os.path.abspath(__file__))
classes = ["daisy", "rose", "tulip"]


def picture(label, number, channels):
    """A gradient in a color that depends on the class: 6 pixels wide, 4 high."""
    rows = [
        [[15 * x + 20 * y + 25 * (c + label) + 5 * number for c in range(channels)] for x in range(6)]
        for y in range(4)
    ]
    return tf.constant(rows, tf.uint8)


def encoded(label, number):
    """Every third image is a JPEG, one a class is gray."""
    if number % 3 == 1:
        return "JPEG", 3, tf.io.encode_jpeg(picture(label, number, 3), quality=95, chroma_downsampling=False).numpy()
    channels = 1 if number == 2 else 3
    return "PNG", channels, tf.io.encode_png(picture(label, number, channels)).numpy()


def bytes_feature(*values):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def integers(*values):
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def floats(*values):
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def inception(image, label, number):
    """As Inception's build_image_data.py: every key, label and text, and a bounding box of floats besides."""
    kind, channels, data = image
    return {
        "image/height": integers(4), "image/width": integers(6),
        "image/colorspace": bytes_feature(b"RGB" if channels == 3 else b"Grayscale"),
        "image/channels": integers(channels), "image/class/label": integers(label),
        "image/class/text": bytes_feature(classes[label].encode()), "image/format": bytes_feature(kind.encode()),
        "image/filename": bytes_feature(f"{classes[label]}-{number}".encode()), "image/encoded": bytes_feature(data),
        "image/object/bbox/xmin": floats(0.25, -1.5),
    }


def slim(image, label, number):
    """As TF-slim's dataset_utils.py: a label, no text."""
    kind, _, data = image
    return {
        "image/encoded": bytes_feature(data), "image/format": bytes_feature(b"jpg" if kind == "JPEG" else b"png"),
        "image/class/label": integers(label), "image/height": integers(4), "image/width": integers(6),
    }


def odd(image, label, number):
    """Lists with several values, an empty text, a negative number and an empty list."""
    return {
        "image/encoded": bytes_feature(image[2], b"another"), "image/class/text": bytes_feature(b""),
        "image/class/label": integers(label, 99), "offset": integers(-1, 2**40), "nothing": integers(),
        "empty": tf.train.Feature(),
    }


def write(name, examples):
    with tf.io.TFRecordWriter(os.path.join(here, "tensorflow", name)) as writer:
        for example in examples:
            writer.write(tf.train.Example(features=tf.train.Features(feature=example)).SerializeToString())


def values(feature):
    kind = feature.WhichOneof("kind")
    if kind is None:
        return []
    found = list(getattr(feature, kind).value)
    return [base64.b64encode(v).decode() for v in found] if kind == "bytes_list" else found


def main():
    for name in ["images", "tensorflow"]:
        shutil.rmtree(os.path.join(here, name), ignore_errors=True)
    os.makedirs(os.path.join(here, "tensorflow"))
    with tf.io.TFRecordWriter(os.path.join(here, "abc.tfrecord")) as writer:
        writer.write(b"abc")
    parts = {"train": range(0, 4), "val": range(4, 5)}
    images = {}
    for part, numbers in parts.items():
        for label, name in enumerate(classes):
            os.makedirs(os.path.join(here, "images", part, name))
            for number in numbers:
                images[label, number] = image = encoded(label, number)
                extension = {"PNG": "png", "JPEG": "jpg"}[image[0]]
                with open(os.path.join(here, "images", part, name, f"{number}.{extension}"), "wb") as file:
                    file.write(image[2])

    def examples(dialect, numbers):
        return [dialect(images[label, number], label, number) for number in numbers for label in range(3)]

    write("train-00000-of-00002", examples(inception, [0, 1]))
    write("train-00001-of-00002", examples(slim, [2]) + examples(odd, [3]))
    write("flowers_validation_00000-of-00001.tfrecord", examples(inception, [4]))
    with open(os.path.join(here, "tensorflow", "labels.txt"), "w") as file:
        file.writelines(f"{label}:{name}\n" for label, name in enumerate(classes))

    facts = []
    for shard in sorted(os.listdir(os.path.join(here, "tensorflow"))):
        if shard == "labels.txt":
            continue
        for record in tf.data.TFRecordDataset(os.path.join(here, "tensorflow", shard)):
            data = record.numpy()
            example = tf.train.Example.FromString(data)
            image = example.features.feature["image/encoded"].bytes_list.value[0]
            # Its default for JPEG is a fast and rough one.
            pixels = (tf.io.decode_jpeg(image, channels=3, dct_method="INTEGER_ACCURATE") if image[:1] == b"\xff"
                      else tf.io.decode_png(image, channels=3))
            facts.append({
                "shard": shard, "length": len(data), "pixels": base64.b64encode(pixels.numpy().tobytes()).decode(),
                "features": {key: values(value) for key, value in sorted(example.features.feature.items())
                             if values(value) and not isinstance(values(value)[0], float)},
            })
    with open(os.path.join(here, "tensorflow.json"), "w") as file:
        json.dump(facts, file, indent=1, sort_keys=True)
    print(f"TensorFlow {tf.__version__}: {len(facts)} records")


main()
