//! What serde and the types behind it have to say, as a [`DecodeError`]: `Copy`, without text.

use core::fmt::Display;

use serde::de::{Error, Expected, Unexpected};

use crate::error::DecodeError;

impl Error for DecodeError {
    fn custom<T: Display>(_: T) -> Self {
        Self::Custom
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::InvalidType
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::InvalidValue
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::InvalidValue
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::UnknownVariant { expected }
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::UnknownField { expected }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::MissingField { field }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::DuplicateField { field }
    }
}
