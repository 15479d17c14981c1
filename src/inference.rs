//! Model packages, preprocessing, the ONNX Runtime session, aggregation and the background worker.
