"""Times inference of a torchvision network in OpenVINO or ONNX Runtime, on random images that are already in memory, and
prints the same JSON line as the `training-step` benchmark.

    python inference_step.py --engine openvino --net resnet50 --size 224 --batch 16 --precision int8

int8 is what each program's own tool makes of the float network: NNCF for OpenVINO, static quantization for ONNX Runtime.
"""

import os
import tempfile
import warnings

import numpy
import torch

import timing
from pytorch_step import build


def to_onnx(network, images, path):
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(network, images, path, input_names=["images"], output_names=["logits"], dynamo=False)
        except TypeError:
            torch.onnx.export(network, images, path, input_names=["images"], output_names=["logits"])
    onnx.checker.check_model(path)


class OpenVINO:
    def __init__(self, network, images, options):
        import openvino

        self.name = "OpenVINO " + openvino.__version__.split("-")[0]
        model = openvino.convert_model(network, example_input=images, input=[list(images.shape)])
        if options.precision == "int8":
            import nncf

            samples = nncf.Dataset([numpy.random.randn(*images.shape).astype(numpy.float32) for _ in range(4)])
            model = nncf.quantize(model, samples, subset_size=4)
        hint = {"fp32": "f32", "int8": "f32", "bf16": "bf16"}[options.precision]
        core = openvino.Core()
        compiled = core.compile_model(
            model,
            "CPU",
            {
                "INFERENCE_NUM_THREADS": str(options.threads),
                "NUM_STREAMS": "1",
                "INFERENCE_PRECISION_HINT": hint,
                "PERFORMANCE_HINT": "LATENCY",
            },
        )
        self.request = compiled.create_infer_request()
        self.request.set_input_tensor(openvino.Tensor(images.numpy()))

    def __call__(self):
        self.request.infer()


class ONNXRuntime:
    def __init__(self, network, images, options):
        import onnxruntime

        self.name = "ONNX Runtime " + onnxruntime.__version__
        folder = tempfile.mkdtemp()
        path = os.path.join(folder, "network.onnx")
        to_onnx(network, images, path)
        if options.precision == "bf16":
            raise SystemExit("ONNX Runtime has no bf16 for processors")
        if options.precision == "int8":
            from onnxruntime import quantization

            class Samples(quantization.CalibrationDataReader):
                left = 4

                def get_next(self):
                    self.left -= 1
                    return {"images": numpy.random.randn(*images.shape).astype(numpy.float32)} if self.left >= 0 else None

            quantized = os.path.join(folder, "quantized.onnx")
            quantization.quantize_static(path, quantized, Samples())
            path = quantized
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        self.images = images.numpy()

    def __call__(self):
        self.session.run(None, {"images": self.images})


def main():
    parser = timing.parser()
    parser.add_argument("--engine", choices=["openvino", "onnxruntime"], default="openvino")
    parser.add_argument("--layout", default=None)
    parser.add_argument("--precision", choices=["fp32", "bf16", "int8"], default="fp32")
    options = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    network = build(options.net, options.classes).eval()
    images = torch.randn(options.batch, 3, options.size, options.size)
    engine = {"openvino": OpenVINO, "onnxruntime": ONNXRuntime}[options.engine]
    with torch.inference_mode(), timing.quiet_output():
        step = engine(network, images, options)
    timing.time_steps(step, options, engine=step.name, mode="infer", precision=options.precision)


if __name__ == "__main__":
    main()
