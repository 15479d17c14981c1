//! Functions whose results have the same bits on every machine: `libm`'s own code, not that of the system's library.

pub(super) fn sin(x: f32) -> f32 {
    libm::sinf(x)
}

pub(super) fn cos(x: f32) -> f32 {
    libm::cosf(x)
}

pub(super) fn exp(x: f32) -> f32 {
    libm::expf(x)
}

pub(super) fn ln(x: f32) -> f32 {
    libm::logf(x)
}

pub(super) fn atan2(y: f32, x: f32) -> f32 {
    libm::atan2f(y, x)
}
