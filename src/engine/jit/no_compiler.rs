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

pub struct Compiler<T> {
    translator: T,
    never: Infallible,
}

impl<T: Translator> Compiler<T> {
    pub fn new(_: T) -> Result<Compiler<T>, NoNativeCode> {
        Err(NoNativeCode(
            "this broth is built without the feature `jit`".into(),
        ))
    }

    pub fn translator(&self) -> &T {
        &self.translator
    }

    pub fn compile(&self, _: &[T::Unit]) -> Compiled<T> {
        match self.never {}
    }

    pub fn show(&self, _: &T::Unit) -> Result<Listing, NoNativeCode> {
        match self.never {}
    }
}

pub struct Generation<T: Translator> {
    pub functions: Vec<(T::Unit, Function)>,
    pub code_bytes: usize,
    pub time: Duration,
    never: Infallible,
}

impl<T: Translator> Generation<T> {
    pub fn memory(&self) -> usize {
        match self.never {}
    }
}

pub struct Worker<T>(Infallible, PhantomData<T>);

impl<T: Translator> Worker<T> {
    pub fn start(compiler: Arc<Compiler<T>>) -> Option<Worker<T>> {
        match compiler.never {}
    }

    pub fn is_busy(&self) -> bool {
        match self.0 {}
    }

    pub fn begin(&mut self, _: Vec<T::Unit>) {
        match self.0 {}
    }

    pub fn finished(&mut self) -> Option<Compiled<T>> {
        match self.0 {}
    }

    pub fn wait(&mut self) -> Option<Compiled<T>> {
        match self.0 {}
    }
}
