//! Licence notices that travel with the binary.

/// cspine's own licence, and those of ONNX Runtime and of what it contains where it is embedded.
pub const LICENCES: &[(&str, &str)] = &[
    ("cspine", include_str!("../../LICENSE")),
    #[cfg(embedded_onnxruntime)]
    ("ONNX Runtime", include_str!(concat!(env!("OUT_DIR"), "/onnxruntime-LICENSE"))),
    #[cfg(embedded_onnxruntime)]
    ("ONNX Runtime: third-party notices", include_str!(concat!(env!("OUT_DIR"), "/onnxruntime-ThirdPartyNotices.txt"))),
];
