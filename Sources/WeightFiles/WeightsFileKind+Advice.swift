// What to do with a file of weights in another format: its name, and where there is one, the line that makes a
// safetensors file of it.

import Files
import FoundationEssentials
import Support

extension WeightsFileKind {
  /// Whether `WeightsFile` reads it.
  package var isRead: Bool { [.pyTorch, .oldPyTorch, .onnx, .safetensorsIndex].contains(self) }

  /// What it is, with its article.
  package var name: String {
    switch self {
    case .pyTorch: "a PyTorch file, as torch.save writes it"
    case .oldPyTorch: "a PyTorch file in the form before PyTorch 1.6"
    case .torchScript: "a TorchScript program of PyTorch's"
    case .torchExport: "a program of torch.export's"
    case .executorch: "an ExecuTorch program of PyTorch's"
    case .onnx: "an ONNX graph"
    case .kerasHDF5: "a Keras file (HDF5)"
    case .kerasArchive: "a Keras archive"
    case .hdf5: "an HDF5 file"
    case .tensorFlowCheckpoint: "a part of a TensorFlow checkpoint"
    case .tensorFlowGraph: "a graph of TensorFlow's"
    case .tensorFlowLite: "a TensorFlow Lite file"
    case .numPyArchive: "an archive of NumPy arrays (npz)"
    case .numPyArray: "a single NumPy array (npy)"
    case .coreML: "a Core ML model"
    case .gguf: "a GGUF file, as llama.cpp reads"
    case .mxnet: "a file of MXNet's parameters"
    case .flax: "a MessagePack file, as Flax writes"
    case .scikitLearn: "a Python pickle of scikit-learn or a library like it"
    case .pickle: "a Python pickle"
    case .safetensorsIndex: "an index of several safetensors files, without arrays of its own"
    case .runRecord: "the record of a run, not its weights"
    case .json: "JSON text"
    case .gitLFSPointer: "a pointer of Git LFS, the file itself was not fetched"
    case .webPage: "a web page, so the download went wrong or asked for a login"
    case .image: "an image"
    case .archive: "an archive"
    case .compressed: "a compressed file"
    case .zeros: "nothing but zeros, as a download leaves that was broken off"
    case .text: "text"
    }
  }

  /// What it is and what to do, without the file's name.
  package func advice(path: String) -> String {
    switch self {
    case .pyTorch, .oldPyTorch, .onnx, .safetensorsIndex:
      return "\(name), and a checkpoint of a run is needed here; start a run from it with train --weights"
    case .torchScript:
      return converted(
        path,
        #"import sys,torch;from safetensors.torch import save_file as w;"#
          + #"w({k:v.clone().contiguous() for k,v in torch.jit.load(sys.argv[1],"cpu").state_dict().items()},sys.argv[2])"#,
        needs: "torch and safetensors")
    case .numPyArchive:
      return converted(
        path,
        #"import sys,numpy as n;from safetensors.numpy import save_file as w;a=n.load(sys.argv[1]);"#
          + #"w({k:n.ascontiguousarray(a[k]) for k in a.files},sys.argv[2])"#, needs: "numpy and safetensors")
    case .kerasHDF5, .kerasArchive, .hdf5, .tensorFlowCheckpoint, .tensorFlowGraph, .tensorFlowLite, .coreML, .gguf,
      .mxnet, .flax, .executorch, .numPyArray:
      return
        "\(name), which is not read here; its arrays have other names and orders, so copy them into torchvision's network "
        + "of the same kind in PyTorch, and save its state_dict as a safetensors file"
    case .pickle:
      return
        "\(name), which is not read here: reading one runs whatever program is in it. Only if you trust where it comes "
        + "from, "
        + converted(
          path,
          #"import sys,pickle,torch;from safetensors.torch import save_file as w;"#
            + #"s=pickle.load(open(sys.argv[1],"rb"),encoding="latin1");s=s.get("model",s);"#
            + #"w({k:torch.as_tensor(v).clone().contiguous() for k,v in s.items() if hasattr(v,"shape")},sys.argv[2])"#,
          needs: "torch and safetensors", isBegun: true)
    case .scikitLearn:
      return "\(name), which is no network; train one with skipline train"
    case .torchExport:
      return converted(
        path,
        #"import sys,torch;from safetensors.torch import save_file as w;"#
          + #"w({k:v.clone().contiguous() for k,v in torch.export.load(sys.argv[1]).state_dict.items()},sys.argv[2])"#,
        needs: "torch and safetensors")
    case .runRecord: return "\(name); name the run's folder, or a file in its checkpoints folder"
    case .gitLFSPointer: return "\(name); fetch it with git lfs pull"
    case .archive, .compressed: return "\(name); unpack it, and name the file of weights in it"
    case .webPage, .zeros: return "\(name); get the file again"
    case .json, .image, .text: return "\(name), no weights; name a file of weights: safetensors, PyTorch or ONNX"
    }
  }

  /// The line that converts.
  private func converted(
    _ path: String, _ program: String, needs packages: String, isBegun: Bool = false
  ) -> String {
    let place = URL(fileURLWithPath: path)
    var target = place.deletingPathExtension().lastPathComponent
    let folder = path.contains("/") ? String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) : ""
    // A file of that name may be another's.
    if FilePath.isFolder(folder + target + ".safetensors") != nil { target += "-converted" }
    return
      (isBegun ? "" : "\(name), which is not read as it is; ")
      + "with Python's \(packages) this line makes a safetensors file of it: "
      + "python3 -c \(shellQuoted(program)) \(shellQuoted(path)) "
      + "\(shellQuoted(folder + target + ".safetensors"))"
  }
}
