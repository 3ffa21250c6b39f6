//! Cranelift: units become native functions, a module at a time.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, default_libcall_names};

use super::emitter::{Emitter, Machine};
use super::frame::Function;
use super::unit::{Pinned, Translator};
use super::{Listing, NoNativeCode};
use crate::engine::hidden::{Part, is_hidden};

/// Compiles the units of one dialect for this machine.
pub(super) struct Compiler<T> {
    isa: OwnedTargetIsa,
    machine: Machine,
    translator: T,
}

/// Functions that were compiled together and are freed together.
pub(super) struct Generation<T: Translator> {
    module: Option<JITModule>,
    /// What the code points to.
    data: Pinned<T::Data>,
    pub functions: Vec<(T::Unit, Function)>,
    /// Bytes of machine code.
    pub code_bytes: usize,
    /// Time that it took.
    pub time: Duration,
}

impl From<ModuleError> for NoNativeCode {
    fn from(error: ModuleError) -> Self {
        NoNativeCode(match error {
            // What went wrong is the source of the error, not its text.
            ModuleError::Backend(error) => format!("{error:#}"),
            error => error.to_string(),
        })
    }
}

/// Cranelift's settings of what may be hidden of a machine.
const HIDEABLE: [(Part, &[&str]); 2] = [
    (
        Part::Avx512,
        &[
            "has_avx512bitalg",
            "has_avx512dq",
            "has_avx512f",
            "has_avx512vbmi",
            "has_avx512vl",
        ],
    ),
    (
        Part::Avx2,
        &[
            "has_avx2",
            "has_fma",
            "has_bmi1",
            "has_bmi2",
            "has_lzcnt",
            "has_popcnt",
        ],
    ),
];

/// Cranelift, set up for this machine.
fn isa() -> Result<OwnedTargetIsa, NoNativeCode> {
    // What is generated is tested, over and over.
    let verifies = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    let mut flags = settings::builder();
    for (name, value) in [
        ("opt_level", "speed"),
        ("enable_verifier", verifies),
        // The code calls nothing that unwinds, and has no stack to probe.
        ("unwind_info", "false"),
        ("enable_probestack", "false"),
    ] {
        let set = flags.set(name, value);
        set.map_err(|error| NoNativeCode(format!("Cranelift's {name}: {error}")))?;
    }
    let mut builder = cranelift_native::builder().map_err(|why| NoNativeCode(why.into()))?;
    for (part, names) in HIDEABLE {
        for name in names {
            if is_hidden(part) {
                // Other CPUs have no such setting.
                let _ = builder.set(name, "false");
            }
        }
    }
    let isa = builder.finish(settings::Flags::new(flags));
    isa.map_err(|error| NoNativeCode(error.to_string()))
}

impl<T: Translator> Compiler<T> {
    /// For what `translator` translates, on this machine.
    pub(super) fn new(translator: T) -> Result<Compiler<T>, NoNativeCode> {
        let isa = isa()?;
        Ok(Compiler {
            machine: Machine::of(&*isa),
            isa,
            translator,
        })
    }

    pub(super) fn translator(&self) -> &T {
        &self.translator
    }

    /// Translate `unit` to `function`, an empty one.
    fn translate(
        &self,
        unit: &T::Unit,
        function: &mut ir::Function,
        context: &mut FunctionBuilderContext,
        data: &mut Pinned<T::Data>,
    ) {
        let emitter = Emitter::start(self.machine, function, context);
        self.translator.translate(unit, emitter, data);
    }

    /// Compile all `units`.
    pub(super) fn compile(&self, units: &[T::Unit]) -> Result<Generation<T>, NoNativeCode> {
        if is_hidden(Part::ExecutableMemory) {
            return Err(NoNativeCode("executable memory is hidden".into()));
        }
        let begun = Instant::now();
        let builder = JITBuilder::with_isa(self.isa.clone(), default_libcall_names());
        let mut generation = Generation {
            module: Some(JITModule::new(builder)),
            data: Pinned::new(),
            functions: Vec::new(),
            code_bytes: 0,
            time: Duration::ZERO,
        };
        let mut compiled: Vec<(T::Unit, FuncId)> = Vec::new();
        if let Some(module) = &mut generation.module {
            let mut context = module.make_context();
            let mut builder_context = FunctionBuilderContext::new();
            for unit in units {
                let function = &mut context.func;
                self.translate(unit, function, &mut builder_context, &mut generation.data);
                let id = module.declare_anonymous_function(&context.func.signature)?;
                module.define_function(id, &mut context)?;
                let code = context.compiled_code();
                generation.code_bytes += code.map_or(0, |code| code.code_buffer().len());
                module.clear_context(&mut context);
                compiled.push((*unit, id));
            }
            module.finalize_definitions()?;
            for (unit, id) in compiled {
                let code = module.get_finalized_function(id);
                // SAFETY: the code is finished, and was made for two pointers and an answer of 32
                // bits, by this system's convention for calls in C. That it is still there is up
                // to those who call it: that is unsafe, too.
                let function = unsafe { std::mem::transmute::<*const u8, Function>(code) };
                generation.functions.push((unit, function));
            }
        }
        generation.time = begun.elapsed();
        Ok(generation)
    }

    /// Compile `unit` to be read.
    pub(super) fn show(&self, unit: &T::Unit) -> Result<Listing, NoNativeCode> {
        let mut context = Context::new();
        let mut data = Pinned::new();
        let mut builder_context = FunctionBuilderContext::new();
        self.translate(unit, &mut context.func, &mut builder_context, &mut data);
        let ir = context.func.display().to_string();
        context.set_disasm(true);
        let compiled = context
            .compile(&*self.isa, &mut ControlPlane::default())
            .map_err(|error| NoNativeCode(format!("{:?}", error.inner)))?;
        let machine_code = compiled.vcode.clone().unwrap_or_default();
        let code_bytes = compiled.code_buffer().len();
        Ok(Listing {
            ir,
            optimised_ir: context.func.display().to_string(),
            machine_code,
            code_bytes,
            loops: self.translator.describe(unit),
        })
    }
}

impl<T: Translator> Generation<T> {
    /// Bytes of memory it takes, about: code lies in whole pages.
    pub(super) fn memory(&self) -> usize {
        const PAGE: usize = 4096;
        (self.code_bytes + self.data.bytes()).next_multiple_of(PAGE) + PAGE
    }
}

impl<T: Translator> Drop for Generation<T> {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: of its functions none is running or will be called any more: they are found
            // in the index of a cache, and dropped where that is borrowed for itself alone and
            // has filled its index anew, or goes, too. What the code points to goes after it.
            unsafe { module.free_memory() };
        }
    }
}

type Compiled<T> = Result<Generation<T>, NoNativeCode>;

/// The thread that compiles while the soup lives.
pub(super) struct Worker<T: Translator> {
    to: Option<Sender<Vec<T::Unit>>>,
    from: Receiver<Compiled<T>>,
    is_busy: bool,
    thread: Option<JoinHandle<()>>,
}

impl<T: Translator> Worker<T> {
    /// Nothing where the system gives no thread.
    pub(super) fn start(compiler: Arc<Compiler<T>>) -> Option<Worker<T>> {
        let (to, batches) = channel::<Vec<T::Unit>>();
        let (done, from) = channel();
        let thread = std::thread::Builder::new().name("compiler".into());
        let thread = thread.spawn(move || {
            for units in batches {
                if done.send(compiler.compile(&units)).is_err() {
                    break;
                }
            }
        });
        Some(Worker {
            to: Some(to),
            from,
            is_busy: false,
            thread: Some(thread.ok()?),
        })
    }

    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Have `units` compiled.
    pub(super) fn begin(&mut self, units: Vec<T::Unit>) {
        if let Some(to) = &self.to {
            self.is_busy = to.send(units).is_ok();
        }
    }

    /// What has been compiled, if it is finished.
    pub(super) fn finished(&mut self) -> Option<Compiled<T>> {
        let compiled = self.from.try_recv().ok();
        self.is_busy &= compiled.is_none();
        compiled
    }

    /// What is being compiled, once it is finished; nothing if nothing is.
    pub(super) fn wait(&mut self) -> Option<Compiled<T>> {
        if !std::mem::take(&mut self.is_busy) {
            return None;
        }
        self.from.recv().ok()
    }
}

impl<T: Translator> Drop for Worker<T> {
    fn drop(&mut self) {
        // It ends once there is nobody to send it units.
        self.to = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
