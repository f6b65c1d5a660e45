//! The macro that turns rows into request types, functions and client methods.

/// Declares a command group.
///
/// ```text
/// commands! {
///     /// What the group is about.
///     trait StringCommands;
///
///     /// Returns the string at `key`.
///     READONLY "GET" => Get<'a> get(key: Key<'a>) as T -> Option<&'r [u8]>;
///     /// Stores `value` at `key`.
///     WRITE "SET" => Set<'a> set(key: Key<'a>, value: Arg<'a>)[options: SetOptions] -> Option<Done>;
/// }
/// ```
/// A row is: access, words, the request type with its lifetime if it borrows, the function with
/// its arguments, options in brackets that start at their default, an effect on the connection in
/// braces if it has one, and the reply type over `'r`, the life of the receive buffer. With `as T`
/// the caller of the client method chooses the type, since the reply holds user data.
macro_rules! commands {
    (
        $(#[$group:meta])*
        trait $Group:ident;
        $(
            $(#[$doc:meta])+
            $access:ident $($word:literal)+ => $Name:ident $(<$life:lifetime>)? $func:ident
                ( $($arg:ident : $Arg:ident $(<$borrow:lifetime>)?),* ) $([ $($option:ident : $Option:ty),+ ])? $({ $effect:expr })?
                $(as $T:ident)? -> $Reply:ty;
        )+
    ) => {
        $(
            $(#[$doc])+
            #[derive(Clone, Copy, PartialEq, Debug)]
            #[must_use = "a request does nothing until it is sent"]
            pub struct $Name $(<$life>)? {
                $($arg: $Arg $(<$borrow>)?,)*
                $($($option: $Option,)+)?
            }

            $(#[$doc])+
            pub fn $func $(<$life>)? (
                $($arg: commands!(@param $Arg $(<$borrow>)?)),*
            ) -> $Name $(<$life>)? {
                $Name {
                    $($arg: $arg.into(),)*
                    $($($option: <$Option>::default(),)+)?
                }
            }

            impl $(<$life>)? $Name $(<$life>)? {
                const ROW: $crate::command::Command = $crate::command::Command {
                    words: &[$($word),+],
                    access: commands!(@access $access),
                    effect: commands!(@effect $($effect)?),
                    expects: <<Self as $crate::command::Request>::Reply<'static> as $crate::resp::FromReply<'static>>::EXPECTS,
                    // None of the rows blocks.
                    blocks: None,
                };
            }

            impl $(<$life>)? $crate::command::Request for $Name $(<$life>)? {
                type Reply<'r> = $Reply;

                fn command(&self) -> &'static $crate::command::Command {
                    &Self::ROW
                }

                fn visit<S: $crate::resp::ArgSink + ?Sized>(&self, sink: &mut S) {
                    $( sink.word($word); )+
                    $( $crate::command::Argument::visit(&self.$arg, sink); )*
                    $($( $crate::command::Argument::visit(&self.$option, sink); )+)?
                }
            }

            #[cfg(feature = "alloc")]
            impl $(<$life>)? $crate::command::OwnedReply for $Name $(<$life>)? {
                type Owned = <<Self as $crate::command::Request>::Reply<'static> as $crate::resp::Natural>::Owned;
            }

            impl $(<$life>)? $crate::command::Carry<Self> for $Name $(<$life>)? {
                fn map(self, change: impl FnOnce(Self) -> Self) -> Self {
                    change(self)
                }
            }
        )+

        $(#[$group])*
        pub trait $Group: $crate::command::Caller {
            $(
                $(#[$doc])+
                fn $func <$($life,)? $($T)?> (&self, $($arg: commands!(@param $Arg $(<$borrow>)?)),*)
                    -> Self::Call<'_, commands!(@call [$Name $(<$life>)?] $($T)?)>
                $(where $T: for<'reply> $crate::resp::FromReply<'reply>)?
                {
                    $crate::command::Caller::call(self, commands!(@typed [$func($($arg),*)] $($T)?))
                }
            )+
        }

        impl<C: $crate::command::Caller> $Group for C {}
    };

    // Numbers as they are, so that a literal is one; all else from whatever is like it.
    (@param i64) => { i64 };
    (@param f64) => { f64 };
    (@param $Arg:ty) => { impl Into<$Arg> };
    (@access READONLY) => { $crate::command::Access::ReadOnly };
    (@access WRITE) => { $crate::command::Access::Write };
    (@access ADMIN) => { $crate::command::Access::Admin };
    (@access CONNECTION) => { $crate::command::Access::Connection };
    (@effect) => { $crate::command::Effect::None };
    (@effect $effect:expr) => { $effect };
    (@call [$Name:ty]) => { $Name };
    (@call [$Name:ty] $T:ident) => { $crate::command::As<$Name, $T> };
    (@typed [$request:expr]) => { $request };
    (@typed [$request:expr] $T:ident) => { $crate::command::Request::typed::<$T>($request) };
}

pub(super) use commands;
