//! In place of the compiler where broth is built without the feature `jit`: there is no native
//! code, and nobody gets hold of any of this.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::frame::Function;
use super::unit::Translator;
use super::{Listing, NoNativeCode};

type Compiled<T> = Result<Generation<T>, NoNativeCode>;

pub(crate) struct Compiler<T> {
    translator: T,
    never: Infallible,
}

impl<T: Translator> Compiler<T> {
    pub(crate) fn new(_: T) -> Result<Compiler<T>, NoNativeCode> {
        Err(NoNativeCode(
            "this broth is built without the feature `jit`".into(),
        ))
    }

    pub(crate) fn translator(&self) -> &T {
        &self.translator
    }

    pub(crate) fn compile(&self, _: &[T::Unit]) -> Compiled<T> {
        match self.never {}
    }

    pub(crate) fn show(&self, _: &T::Unit) -> Result<Listing, NoNativeCode> {
        match self.never {}
    }
}

pub(crate) struct Generation<T: Translator> {
    pub functions: Vec<(T::Unit, Function)>,
    pub code_bytes: usize,
    pub time: Duration,
    never: Infallible,
}

impl<T: Translator> Generation<T> {
    pub(crate) fn memory(&self) -> usize {
        match self.never {}
    }
}

pub(crate) struct Worker<T>(Infallible, PhantomData<T>);

impl<T: Translator> Worker<T> {
    pub(crate) fn start(compiler: Arc<Compiler<T>>) -> Option<Worker<T>> {
        match compiler.never {}
    }

    pub(crate) fn is_busy(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn begin(&mut self, _: Vec<T::Unit>) {
        match self.0 {}
    }

    pub(crate) fn finished(&mut self) -> Option<Compiled<T>> {
        match self.0 {}
    }

    pub(crate) fn wait(&mut self) -> Option<Compiled<T>> {
        match self.0 {}
    }
}
