// Loads a SavedModel as TF Serving does and holds it to the rules of TF Serving's batching.
//
//   loader DIR/VERSION KEY TOLERANCE
//
// TensorFlow's own LoadSavedModel, then Session::Run on the signatures' tensors, with XLA switched
// off as tensorflow_model_server switches it off. For every signature: at least one input; every
// input and output of rank 1 or more, its first dimension unknown, its type one that REST carries.
// Each is run for requests of 1, 3 and 8 rows and once for all 12 rows merged: as many rows come
// out as went in, and the merged rows are those of the separate requests, to TOLERANCE times
// max(1, |value|).
//
// Row i of `sample` has the seed (KEY, i) and temperature 1. The samples are the rows of `x`, and
// what `encode` returns of them the rows of `z`; a row i of `context` is 1 at i modulo its size, as
// a class is, and 0 elsewhere. `decode_L` to `decode_0` of a codec run in this order, each on its
// part of the `symbols` of `encode` and on the `known` of the one before; integers that are not
// bytes must be equal. Prints, for every signature,
//
//   diff SIGNATURE LARGEST       largest difference between merged and separate rows, divided by
//                                max(1, |value|)
//   SIGNATURE ROW VALUE...       a line a row of the merged request, outputs in order of their names
//
// and ends with status 0, or with one line on stderr and status 1.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/compiler/jit/flags.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_util.h"
#include "tensorflow/core/public/session.h"
#include "tensorflow/core/public/session_options.h"

namespace {

using tensorflow::Tensor;
using tensorflow::TensorInfo;
using tensorflow::TensorShape;

constexpr int kRequests[] = {1, 3, 8};
constexpr int kRows = 12;

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "error: %s\n", message.substr(0, message.find('\n')).c_str());
  std::exit(1);
}

void CheckInfo(const std::string& place, const TensorInfo& info) {
  const auto& shape = info.tensor_shape();
  if (shape.unknown_rank() || shape.dim_size() < 1) Fail(place + ": rank 0 or unknown");
  if (shape.dim(0).size() != -1) Fail(place + ": first dimension is fixed");
  switch (info.dtype()) {
    case tensorflow::DT_FLOAT:
    case tensorflow::DT_DOUBLE:
    case tensorflow::DT_INT32:
    case tensorflow::DT_INT64:
    case tensorflow::DT_UINT8:
    case tensorflow::DT_BOOL:
    case tensorflow::DT_STRING:
      return;
    default:
      Fail(place + ": REST cannot carry " + tensorflow::DataType_Name(info.dtype()));
  }
}

int64_t RowSize(const TensorInfo& info) {
  int64_t size = 1;
  for (int i = 1; i < info.tensor_shape().dim_size(); ++i) {
    size *= info.tensor_shape().dim(i).size();
  }
  return size;
}

// All rows of an input that no signature computes.
Tensor Given(const std::string& name, const TensorInfo& info, int64_t key) {
  TensorShape shape({kRows});
  for (int i = 1; i < info.tensor_shape().dim_size(); ++i) {
    shape.AddDim(info.tensor_shape().dim(i).size());
  }
  Tensor value(info.dtype(), shape);
  const int64_t size = RowSize(info);
  for (int i = 0; i < kRows; ++i) {
    for (int64_t j = 0; j < size; ++j) {
      if (name == "seed") {
        value.flat<int64_t>()(i * size + j) = j == 0 ? key : i;
      } else if (name == "temperature") {
        value.flat<float>()(i) = 1.0f;
      } else if (name == "context") {
        value.flat<float>()(i * size + j) = i % size == j ? 1.0f : 0.0f;
      } else {
        Fail("no values for an input " + name);
      }
    }
  }
  return value;
}

// A number of an output: a float, a byte, or an integer.
double At(const Tensor& value, int64_t i) {
  if (value.dtype() == tensorflow::DT_UINT8) return value.flat<uint8_t>()(i);
  if (value.dtype() == tensorflow::DT_INT32) return value.flat<int32_t>()(i);
  return value.flat<float>()(i);
}

// How far two values of an output are apart, divided by max(1, |value|).
double Difference(const Tensor& merged, int64_t i, const Tensor& separate, int64_t j) {
  const double one = At(merged, i);
  const double gap = std::abs(one - At(separate, j));
  if (gap == 0.0) return 0.0;
  if (merged.dtype() == tensorflow::DT_INT32) return std::numeric_limits<double>::infinity();
  // Of a number at a step between two bytes, rounding may choose the other.
  const bool byte = merged.dtype() == tensorflow::DT_UINT8;
  return (byte ? gap - 1.0 : gap) / std::max(1.0, std::abs(one));
}

// Columns `first` to `last` of the rows of integers.
Tensor Columns(const Tensor& value, int64_t first, int64_t last) {
  Tensor part(value.dtype(), TensorShape({value.dim_size(0), last - first}));
  part.matrix<int32_t>() = value.matrix<int32_t>().slice(
      Eigen::array<Eigen::Index, 2>{0, first},
      Eigen::array<Eigen::Index, 2>{value.dim_size(0), last - first});
  return part;
}

class Model {
 public:
  Model(const std::string& path, int64_t key, double tolerance)
      : key_(key), tolerance_(tolerance) {
    const auto status = tensorflow::LoadSavedModel(tensorflow::SessionOptions(),
                                                   tensorflow::RunOptions(), path, {"serve"},
                                                   &bundle_);
    if (!status.ok()) Fail("load: " + std::string(status.message()));
    for (const auto& [name, signature] : bundle_.GetSignatures()) {
      if (name != "__saved_model_init_op") signatures_[name] = signature;
    }
  }

  void CheckSignatures() const {
    for (const auto& [name, signature] : signatures_) {
      if (signature.inputs().empty()) Fail("signature " + name + ": no inputs");
      for (const auto& [input, info] : signature.inputs()) {
        CheckInfo("signature " + name + ": input " + input, info);
      }
      for (const auto& [output, info] : signature.outputs()) {
        CheckInfo("signature " + name + ": output " + output, info);
      }
    }
  }

  // What a model needs for its inputs comes first: samples, then latents, then the rest.
  void RunAll() {
    for (const char* name : {"sample", "encode"}) {
      if (signatures_.count(name)) Run(name);
    }
    int levels = 0;
    while (signatures_.count(Decode(levels))) ++levels;
    int64_t undecoded = levels ? symbols_.dim_size(1) : 0;
    for (int level = levels - 1; level >= 0; --level) {
      const int64_t size = RowSize(signatures_.at(Decode(level)).inputs().at("symbols"));
      rows_["symbols"] = Columns(symbols_, undecoded - size, undecoded);
      undecoded -= size;
      Run(Decode(level));
    }
    if (undecoded != 0) Fail("symbols that no level decodes");
    for (const auto& [name, signature] : signatures_) {
      if (name != "sample" && name != "encode" && name.rfind("decode_", 0)) Run(name);
    }
  }

 private:
  static std::string Decode(int level) { return "decode_" + std::to_string(level); }

  // Names of a signature's outputs, in order.
  std::vector<std::string> Outputs(const std::string& name) const {
    std::vector<std::string> found;
    for (const auto& [output, info] : signatures_.at(name).outputs()) found.push_back(output);
    std::sort(found.begin(), found.end());
    return found;
  }

  // Runs some rows of a signature; its outputs, each `count` rows of floats, bytes or integers.
  std::vector<Tensor> RunRows(const std::string& name, int first, int count) {
    const auto& signature = signatures_.at(name);
    std::vector<std::pair<std::string, Tensor>> feeds;
    std::vector<std::string> fetches;
    for (const auto& [input, info] : signature.inputs()) {
      if (!rows_.count(input)) rows_[input] = Given(input, info, key_);
      // A copy: a slice may not be aligned as kernels expect.
      feeds.emplace_back(info.name(),
                         tensorflow::tensor::DeepCopy(rows_[input].Slice(first, first + count)));
    }
    for (const auto& output : Outputs(name)) {
      fetches.push_back(signature.outputs().at(output).name());
    }
    std::vector<Tensor> outputs;
    const auto status = bundle_.session->Run(feeds, fetches, {}, &outputs);
    if (!status.ok()) Fail("run " + name + ": " + std::string(status.message()));
    for (const auto& output : outputs) {
      if (output.dims() < 1 || output.dim_size(0) != count) {
        Fail("run " + name + ": " + std::to_string(count) + " rows in, shape " +
             output.shape().DebugString() + " out");
      }
      if (output.dtype() != tensorflow::DT_FLOAT && output.dtype() != tensorflow::DT_UINT8 &&
          output.dtype() != tensorflow::DT_INT32) {
        Fail("run " + name + ": output is neither float, byte nor int32");
      }
    }
    return outputs;
  }

  void Run(const std::string& name) {
    const std::vector<Tensor> merged = RunRows(name, 0, kRows);
    double largest = 0.0;
    int first = 0;
    for (int count : kRequests) {
      const std::vector<Tensor> separate = RunRows(name, first, count);
      for (size_t k = 0; k < merged.size(); ++k) {
        const int64_t size = merged[k].NumElements() / kRows;
        for (int64_t i = 0; i < count * size; ++i) {
          const double diff = Difference(merged[k], first * size + i, separate[k], i);
          if (!(diff <= tolerance_)) Fail("merged and separate requests differ in " + name);
          largest = std::max(largest, diff);
        }
      }
      first += count;
    }
    std::printf("diff %s %.9g\n", name.c_str(), largest);
    for (int row = 0; row < kRows; ++row) {
      std::printf("%s %d", name.c_str(), row);
      for (const auto& output : merged) {
        const int64_t size = output.NumElements() / kRows;
        for (int64_t j = 0; j < size; ++j) std::printf(" %.9g", At(output, row * size + j));
      }
      std::printf("\n");
    }
    const std::vector<std::string> outputs = Outputs(name);
    for (size_t k = 0; k < merged.size(); ++k) {
      if (name == "sample") rows_["x"] = merged[k];
      if (outputs[k] == "z" || outputs[k] == "known") rows_[outputs[k]] = merged[k];
      if (outputs[k] == "symbols") symbols_ = merged[k];
    }
  }

  const int64_t key_;
  const double tolerance_;
  tensorflow::SavedModelBundle bundle_;
  std::map<std::string, tensorflow::SignatureDef> signatures_;
  std::map<std::string, Tensor> rows_;
  Tensor symbols_;  // of all levels of a codec
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) Fail("usage: loader DIR/VERSION KEY TOLERANCE");
  tensorflow::DisableXlaCompilation();
  Model model(argv[1], std::atoll(argv[2]), std::atof(argv[3]));
  model.CheckSignatures();
  model.RunAll();
  return 0;
}
