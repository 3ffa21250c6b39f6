//! Cranelift: pieces of code become native functions, a module at a time.

use std::time::{Duration, Instant};

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir;
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, default_libcall_names};

use super::bff::{self, Tables};
use super::forth;
use super::frame::{ClosedLoop, Function, run_loop_with};
use super::piece::Piece;
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::simd::Lanes;
pub use crate::error::NoNativeCode;
use crate::language::Family;
use crate::language::bff::Dialect;

/// Translates pieces of one dialect for this machine.
pub struct Compiler {
    isa: OwnedTargetIsa,
    target: Target,
}

/// What pieces of a family are translated for.
enum Target {
    Bff(bff::Target),
    Forth(forth::Target),
}

/// Functions that were compiled together and are freed together.
pub struct Generation {
    module: Option<JITModule>,
    /// What the code points to.
    _loops: Vec<Box<ClosedLoop>>,
    pub functions: Vec<(Piece, Function)>,
    /// Bytes of machine code.
    pub code_bytes: usize,
    /// Time that it took.
    pub time: Duration,
}

/// How a piece looks once it is compiled.
pub struct Listing {
    /// Cranelift's intermediate representation, before and after it is optimised.
    pub ir: String,
    pub optimised_ir: String,
    /// Machine code, as Cranelift writes it.
    pub machine_code: String,
    pub code_bytes: usize,
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

impl Compiler {
    /// For a dialect of `family` on this machine, loops by closed forms if so wanted;
    /// nothing for families that have no native code.
    pub fn new(
        family: &'static Family,
        closed_forms: bool,
    ) -> Result<Option<Compiler>, NoNativeCode> {
        let mut flags = settings::builder();
        for (name, value) in [
            ("opt_level", "speed"),
            // What is generated is tested, over and over.
            (
                "enable_verifier",
                if cfg!(debug_assertions) {
                    "true"
                } else {
                    "false"
                },
            ),
            // The code calls nothing that unwinds, and has no stack to probe.
            ("unwind_info", "false"),
            ("enable_probestack", "false"),
        ] {
            let set = flags.set(name, value);
            set.map_err(|error| NoNativeCode(format!("Cranelift's {name}: {error}")))?;
        }
        let builder = cranelift_native::builder().map_err(|why| NoNativeCode(why.into()))?;
        let isa = builder
            .finish(settings::Flags::new(flags))
            .map_err(|error| NoNativeCode(error.to_string()))?;
        let frontend = isa.frontend_config();
        let call_conv = CallConv::triple_default(isa.triple());
        let target = match family {
            Family::Bff(dialect) => Target::Bff(bff::Target {
                dialect,
                tables: tables(dialect),
                frontend,
                call_conv,
                run_loop: closed_forms.then(|| run_loop_with(Lanes::widest())),
            }),
            Family::Forth(dialect) => Target::Forth(forth::Target {
                dialect,
                frontend,
                call_conv,
                pauses: closed_forms,
            }),
            _ => return Ok(None),
        };
        Ok(Some(Compiler { isa, target }))
    }

    /// Whether native code may be faster than the interpreter: where there is a loop
    /// that has no closed form.
    pub fn pays(&self, piece: &Piece) -> bool {
        match (&self.target, piece) {
            (Target::Bff(target), Piece::Bff(piece)) => bff::has_open_loop(target, piece),
            // It was not settled by its laps, or would not have been counted.
            _ => true,
        }
    }

    /// Some piece, to see whether there is native code at all.
    pub fn any_piece(&self) -> Piece {
        match &self.target {
            Target::Bff(_) => Piece::Bff(bff::Piece {
                spot: bff::Spot::Right,
                skeleton: Skeleton::default(),
            }),
            Target::Forth(target) => Piece::Forth(forth::Span::shortest(target.dialect)),
        }
    }

    /// Translate `piece` to `function`, an empty one; see [`bff::translate`] for
    /// `loops`.
    fn translate(
        &self,
        piece: &Piece,
        function: &mut ir::Function,
        context: &mut FunctionBuilderContext,
        loops: &mut Vec<Box<ClosedLoop>>,
    ) {
        match (&self.target, piece) {
            (Target::Bff(target), Piece::Bff(piece)) => {
                bff::translate(target, piece, function, context, loops);
            }
            (Target::Forth(target), Piece::Forth(span)) => {
                forth::translate(target, span, function, context);
            }
            _ => unreachable!("pieces are of the compiler's family"),
        }
    }

    fn module(&self) -> JITModule {
        JITModule::new(JITBuilder::with_isa(
            self.isa.clone(),
            default_libcall_names(),
        ))
    }

    /// Translate all `pieces`.
    pub fn compile(&self, pieces: &[Piece]) -> Result<Generation, NoNativeCode> {
        let begun = Instant::now();
        let mut generation = Generation {
            module: Some(self.module()),
            _loops: Vec::new(),
            functions: Vec::new(),
            code_bytes: 0,
            time: Duration::ZERO,
        };
        let mut compiled: Vec<(Piece, FuncId)> = Vec::new();
        if let Some(module) = &mut generation.module {
            let mut context = module.make_context();
            let mut builder_context = FunctionBuilderContext::new();
            for piece in pieces {
                self.translate(
                    piece,
                    &mut context.func,
                    &mut builder_context,
                    &mut generation._loops,
                );
                let id = module.declare_anonymous_function(&context.func.signature)?;
                module.define_function(id, &mut context)?;
                let code = context.compiled_code();
                generation.code_bytes += code.map_or(0, |code| code.code_buffer().len());
                module.clear_context(&mut context);
                compiled.push((*piece, id));
            }
            module.finalize_definitions()?;
            for (piece, id) in compiled {
                let code = module.get_finalized_function(id);
                // SAFETY: the code is finished, and was made for two pointers and an answer of 32
                // bits, by this system's convention for calls in C. That it is there still is
                // for those to see to who call it: that is unsafe, too.
                let function = unsafe { std::mem::transmute::<*const u8, Function>(code) };
                generation.functions.push((piece, function));
            }
        }
        generation.time = begun.elapsed();
        Ok(generation)
    }

    /// How `piece` looks.
    pub fn show(&self, piece: &Piece) -> Result<Listing, NoNativeCode> {
        let mut context = Context::new();
        let mut loops = Vec::new();
        self.translate(
            piece,
            &mut context.func,
            &mut FunctionBuilderContext::new(),
            &mut loops,
        );
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
        })
    }
}

impl Generation {
    /// Bytes of memory it takes, about: code lies in whole pages.
    pub fn memory(&self) -> usize {
        const PAGE: usize = 4096;
        let loops = self._loops.len() * size_of::<ClosedLoop>();
        (self.code_bytes + loops).next_multiple_of(PAGE) + PAGE
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: of its functions none is running or will be called any more: they are found
            // in the tables of a cache, and dropped where that is borrowed for itself alone and
            // then fills its tables anew, or goes, too. What the code points to goes after it.
            unsafe { module.free_memory() };
        }
    }
}

/// The tables of a dialect, made once.
fn tables(dialect: &'static Dialect) -> &'static Tables {
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex, PoisonError};
    type Made = HashMap<usize, &'static Tables>;
    static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let key = std::ptr::from_ref(dialect) as usize;
    made.entry(key)
        .or_insert_with(|| Box::leak(Box::new(Tables::of(dialect))))
}
