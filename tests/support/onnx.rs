//! Small model packages whose graph is written here, byte by byte (ONNX's Protocol Buffers, onnx.proto3).

use sha2::{Digest as _, Sha256};
use std::path::Path;

/// A field of a message: number and content with its length.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [varint(u64::from(number) << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn number(field: u8, value: u64) -> Vec<u8> {
    [varint(u64::from(field) << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// NodeProto; `attribute`: an integer.
fn node(operator: &str, inputs: &[&str], output: &str, attribute: Option<(&str, u64)>) -> Vec<u8> {
    let mut content: Vec<u8> = inputs.iter().flat_map(|input| field(1, input.as_bytes())).collect();
    content.extend(field(2, output.as_bytes()));
    content.extend(field(4, operator.as_bytes()));
    if let Some((name, value)) = attribute {
        // AttributeProto: name, i, type INT.
        content.extend(field(5, &[field(1, name.as_bytes()), number(3, value), number(20, 2)].concat()));
    }
    field(1, &content)
}

/// TensorProto of floats, as an initializer of the graph.
fn constant(name: &str, shape: &[usize], values: &[f32]) -> Vec<u8> {
    let mut content: Vec<u8> = shape.iter().flat_map(|size| number(1, *size as u64)).collect();
    content.extend(number(2, FLOAT));
    content.extend(field(8, name.as_bytes()));
    content.extend(field(9, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()));
    field(5, &content)
}

const FLOAT: u64 = 1;
const UINT8: u64 = 2;

/// ValueInfoProto; a size of 0 is any.
fn value(field_of_graph: u8, name: &str, kind: u64, shape: &[usize]) -> Vec<u8> {
    let dimension = |size: &usize| match size {
        0 => field(1, &field(2, b"N")),
        size => field(1, &number(1, *size as u64)),
    };
    let shape = field(2, &shape.iter().flat_map(dimension).collect::<Vec<u8>>());
    let kind = field(1, &[number(1, kind), shape].concat());
    field(field_of_graph, &[field(1, name.as_bytes()), field(2, &kind)].concat())
}

/// Pixels of a side of the input.
const SIDE: usize = 32;

/// A model whose answers are easily worked out: every slice shows C1 with a visibility of 0.9, fractured with 0.8. The features of a slice
/// are `mean · weights + bias`, from the means of its three channels.
pub(crate) struct MeanModel {
    /// `[3, d]`.
    pub weights: [[f32; 2]; 3],
    /// `[d]`.
    pub bias: [f32; 2],
    /// `features.threshold` of the manifest; `None` for a manifest without that section.
    pub threshold: Option<f32>,
    /// The output that the manifest names: `features`, `[N, 2]`, or `pooled`, `[N, 3, 1, 1]`.
    pub output: &'static str,
}

impl MeanModel {
    /// Writes the package.
    pub(crate) fn write(&self, folder: &Path) {
        let level = |first: f32| [first, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1];
        let graph = [
            node("Cast", &["image"], "float", Some(("to", FLOAT))),
            node("GlobalAveragePool", &["float"], "pooled", None),
            node("Flatten", &["pooled"], "means", Some(("axis", 1))),
            node("Gemm", &["means", "none", "visible"], "vertebra", None),
            node("Gemm", &["means", "none", "broken"], "fracture", None),
            node("Gemm", &["means", "weights", "bias"], "features", None),
            field(2, b"means"),
            constant("none", &[3, 7], &[0.0; 21]),
            constant("visible", &[7], &level(0.9)),
            constant("broken", &[7], &level(0.8)),
            constant("weights", &[3, 2], self.weights.as_flattened()),
            constant("bias", &[2], &self.bias),
            value(11, "image", UINT8, &[0, 3, SIDE, SIDE]),
            value(12, "vertebra", FLOAT, &[0, 7]),
            value(12, "fracture", FLOAT, &[0, 7]),
            value(12, "features", FLOAT, &[0, 2]),
            value(12, "pooled", FLOAT, &[0, 3, 1, 1]),
        ];
        let onnx = [number(1, 8), field(7, &graph.concat()), field(8, &number(2, 13))].concat();
        let features = self.threshold.map_or(String::new(), |threshold| {
            format!("\n[features]\noutput = \"{}\"\nthreshold = {threshold:?}\ndata = \"none\"\n", self.output)
        });
        let sha256: String = Sha256::digest(&onnx).iter().map(|byte| format!("{byte:02x}")).collect();
        let manifest = format!(
            r#"format = 1
name = "means"
version = "1"
sha256 = "{sha256}"
nature = "synthetic"
aggregation = "visible-top-mean"
intended_use = "tests"
training_data = "none"

[input]
name = "image"
size = {SIDE}
millimetres = 100.0
channel_offsets_mm = [-3.0, 0.0, 3.0]
window_hu = [-600.0, 1400.0]

[outputs]
vertebra = "vertebra"
fracture = "fracture"

[thresholds]
overall = 0.5
level = 0.3
data = "none"
operating_point = "none"

[presence]
vertebra = 0.5
minimum_mm = 4.0
{features}"#
        );
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::write(folder.join("model.onnx"), onnx).expect("a graph");
        std::fs::write(folder.join("model.toml"), manifest).expect("a manifest");
    }
}
