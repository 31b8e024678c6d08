//! Values that are one of a few words.

/// Declares an enum whose members are words of the manifest language, each with its meaning.
macro_rules! choices {
    (
        $(#[$meta:meta])*
        $what:literal
        pub enum $name:ident { $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )+ }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[doc = $doc])+ $variant, )+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as manifests have it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl $crate::model::scalar::Scalar for $name {
            const WHAT: &'static str = $what;
            const GRAMMAR: $crate::model::scalar::Grammar =
                $crate::model::scalar::Grammar::Choices(&[$(($word, concat!($($doc),+)),)+]);

            fn parse(text: &str) -> Result<Self, $crate::model::scalar::Malformed> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::model::scalar::Malformed::form()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

pub(crate) use choices;
