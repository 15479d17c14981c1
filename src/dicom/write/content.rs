//! The tree of content items of a structured report (PS3.3 section C.17.3).

use super::code::Code;
use super::file::{Object, date_and_time, decimal};
use super::region::Region;
use super::source::SourceImage;
use crate::domain::Stamp;
use dicom_core::VR;
use dicom_dictionary_std::tags;

/// How an item stands to the one above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Contains,
    HasObservationContext,
    HasConceptModifier,
    InferredFrom,
    SelectedFrom,
}

impl Relation {
    fn name(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::HasObservationContext => "HAS OBS CONTEXT",
            Self::HasConceptModifier => "HAS CONCEPT MOD",
            Self::InferredFrom => "INFERRED FROM",
            Self::SelectedFrom => "SELECTED FROM",
        }
    }
}

/// What an item says.
#[derive(Debug, Clone)]
pub(super) enum Value<'r> {
    /// Nothing itself; the template that it follows, where it follows one.
    Container(Option<&'static str>),
    Text(String),
    Code(Code),
    Number {
        value: f64,
        unit: Code,
    },
    PersonName(String),
    Uid(String),
    Image(&'r SourceImage),
    /// On the picture that the item below it names.
    Coordinates(Region),
}

/// A content item.
#[derive(Debug, Clone)]
pub(super) struct Item<'r> {
    relation: Relation,
    /// Images in an image library have none.
    name: Option<Code>,
    value: Value<'r>,
    observed: Option<Stamp>,
    children: Vec<Self>,
}

impl<'r> Item<'r> {
    pub(super) fn new(relation: Relation, name: Code, value: Value<'r>) -> Self {
        Self { relation, name: Some(name), value, observed: None, children: Vec::new() }
    }

    /// An image without a concept name.
    pub(super) fn image(image: &'r SourceImage) -> Self {
        Self::nameless(Relation::Contains, image)
    }

    fn nameless(relation: Relation, image: &'r SourceImage) -> Self {
        Self { relation, name: None, value: Value::Image(image), observed: None, children: Vec::new() }
    }

    /// What a number was taken from (TID 320): a figure on an image where there is one, else the image.
    pub(super) fn source(name: Code, image: &'r SourceImage, region: Option<Region>) -> Self {
        match region {
            Some(region) => Self::new(Relation::InferredFrom, name, Value::Coordinates(region))
                .with([Self::nameless(Relation::SelectedFrom, image)]),
            None => Self::new(Relation::InferredFrom, name, Value::Image(image)),
        }
    }

    pub(super) fn contains(name: Code, value: Value<'r>) -> Self {
        Self::new(Relation::Contains, name, value)
    }

    pub(super) fn context(name: Code, value: Value<'r>) -> Self {
        Self::new(Relation::HasObservationContext, name, value)
    }

    pub(super) fn modifier(name: Code, value: Value<'r>) -> Self {
        Self::new(Relation::HasConceptModifier, name, value)
    }

    pub(super) fn with(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// When it was observed.
    pub(super) fn at(mut self, at: Stamp) -> Self {
        self.observed = Some(at);
        self
    }

    /// Writes the item's own elements and its children into an object: an item of a sequence, or the document itself.
    pub(super) fn write(&self, object: &mut Object, is_root: bool) {
        if !is_root {
            object.text(tags::RELATIONSHIP_TYPE, VR::CS, self.relation.name());
        }
        if let Some(at) = self.observed {
            let (date, time) = date_and_time(at);
            object.text(tags::OBSERVATION_DATE_TIME, VR::DT, format!("{date}{time}{}", at.dicom_offset()));
        }
        if let Some(name) = self.name {
            object.sequence(tags::CONCEPT_NAME_CODE_SEQUENCE, [name.item()]);
        }
        let value_type = match &self.value {
            Value::Container(template) => {
                object.text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE");
                if let Some(template) = template {
                    let mut item = Object::new();
                    item.text(tags::MAPPING_RESOURCE, VR::CS, "DCMR").text(
                        tags::TEMPLATE_IDENTIFIER,
                        VR::CS,
                        *template,
                    );
                    object.sequence(tags::CONTENT_TEMPLATE_SEQUENCE, [item]);
                }
                "CONTAINER"
            }
            Value::Text(text) => {
                object.text(tags::TEXT_VALUE, VR::UT, text.clone());
                "TEXT"
            }
            Value::Code(code) => {
                object.sequence(tags::CONCEPT_CODE_SEQUENCE, [code.item()]);
                "CODE"
            }
            Value::Number { value, unit } => {
                let mut item = Object::new();
                item.text(tags::NUMERIC_VALUE, VR::DS, decimal(*value))
                    .sequence(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, [unit.item()]);
                object.sequence(tags::MEASURED_VALUE_SEQUENCE, [item]);
                "NUM"
            }
            Value::PersonName(name) => {
                object.text(tags::PERSON_NAME, VR::PN, name.clone());
                "PNAME"
            }
            Value::Uid(uid) => {
                object.text(tags::UID, VR::UI, uid.clone());
                "UIDREF"
            }
            Value::Image(image) => {
                object.sequence(tags::REFERENCED_SOP_SEQUENCE, [reference(image, true)]);
                "IMAGE"
            }
            Value::Coordinates(region) => {
                object.floats(tags::GRAPHIC_DATA, region.points.iter().flatten().map(|value| *value as f32)).text(
                    tags::GRAPHIC_TYPE,
                    VR::CS,
                    region.graphic.name(),
                );
                "SCOORD"
            }
        };
        object.text(tags::VALUE_TYPE, VR::CS, value_type);
        if !self.children.is_empty() {
            let children = self.children.iter().map(|child| {
                let mut object = Object::new();
                child.write(&mut object, false);
                object
            });
            object.sequence(tags::CONTENT_SEQUENCE, children);
        }
    }
}

/// A reference to an instance, and to a frame of it where that is asked for.
pub(super) fn reference(image: &SourceImage, with_frame: bool) -> Object {
    let mut item = Object::new();
    item.text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, image.class.clone()).text(
        tags::REFERENCED_SOP_INSTANCE_UID,
        VR::UI,
        image.instance.clone(),
    );
    if let Some(frame) = image.frame.filter(|_| with_frame) {
        item.text(tags::REFERENCED_FRAME_NUMBER, VR::IS, frame.to_string());
    }
    item
}
