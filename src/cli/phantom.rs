//! `cspine phantom`: synthetic necks with known truth, in the layout of the RSNA 2022 data set.

use super::{CliError, contact_sheet, select};
use crate::phantom::{
    self, Anatomy, AnatomyLibrary, AnatomySource, Coverage, FractureKind, MeshSet, RealNeck, Recipe, write_dataset,
    write_slice,
};
use crate::task::Cancel;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Make synthetic necks with known truth: DICOM, train.csv, boxes, segmentations and truth.json, laid out as the RSNA 2022 set.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Folder to write to; made if missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many necks.
    #[arg(long, default_value_t = 10)]
    count: u64,
    /// Seed of the first neck; the others count up.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rows and columns of a slice.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u16).range(64..=1024))]
    matrix: u16,
    /// Slices no nearer than this, mm: thinner recipes are thinned out.
    #[arg(long, value_name = "MM", default_value_t = 0.6)]
    least_spacing: f32,
    /// Add to each broken neck its twin that differs by nothing but the fracture.
    #[arg(long)]
    twins: bool,
    /// Break every neck, at this many levels, instead of as often as in the RSNA 2022 set.
    #[arg(long, value_name = "LEVELS", value_parser = clap::value_parser!(u8).range(1..=7))]
    broken: Option<u8>,
    /// With --broken: break them in these ways alone, at those levels at which they occur; by the names in truth.json, with
    /// commas between.
    #[arg(long, value_name = "KIND", requires = "broken", value_delimiter = ',', value_parser = kind_names())]
    kinds: Vec<FractureKind>,
    /// Scan another part of the body, which shows no cervical spine.
    #[arg(long, value_enum)]
    part: Option<Part>,
    /// Write a mask of the voxels that each fracture changes: fracture_masks/, for training.
    #[arg(long)]
    masks: bool,
    /// What the files' headers say.
    #[arg(long, value_enum, default_value_t = Preset::Rsna)]
    preset: Preset,
    /// Write a page of pictures of the first necks: one row each, with C1 to C7 in bone and soft-tissue windows by turns and
    /// the middle from the side in both.
    #[arg(long, value_name = "PNG")]
    contact_sheet: Option<PathBuf>,
    /// Another scan to be the page's first row, to compare with.
    #[arg(long, value_name = "DIR", requires = "contact_sheet")]
    beside: Option<PathBuf>,
    /// Closed surfaces C1*.obj to C7*.obj, in mm, to take the place of the built-in vertebrae.
    #[arg(long, value_name = "DIR")]
    meshes: Option<PathBuf>,
    /// Vertebrae to blend, a new mixture for each neck: a NIfTI file of labels (1 to 7 for C1 to C7, 8 and 9 for T1 and T2), a
    /// folder of surfaces as for --meshes, or parametric. Give it once for each source; NAME=PATH names the source in
    /// truth.json.
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["meshes", "volume"])]
    anatomy: Vec<String>,
    /// A real CT of a neck to deform, scan again and fracture, instead of the parametric anatomy: the folder of an axial series.
    #[arg(long, value_name = "DIR", conflicts_with = "meshes")]
    volume: Option<PathBuf>,
    /// The vertebrae of --volume: a NIfTI file with 1 to 7 for C1 to C7, 8 and 9 for T1 and T2. Without it nothing is
    /// broken and no segmentation written.
    #[arg(long, value_name = "FILE", requires = "volume")]
    labels: Option<PathBuf>,
}

/// What the headers say.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Preset {
    /// As little as the RSNA 2022 set's.
    Rsna,
    /// As much as those in a hospital's queue; here and there the gantry is tilted.
    Queue,
}

/// What a scan without a neck shows.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    /// The head above C1.
    Head,
    /// The chest below T2.
    Chest,
}

/// Kinds of fractures by their names in truth.json.
fn kind_names() -> impl TypedValueParser<Value = FractureKind> {
    PossibleValuesParser::new(FractureKind::ALL.map(FractureKind::name))
        .try_map(|name| FractureKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or("unknown"))
}

/// Runs the command.
///
/// # Errors
/// Meshes, a scan or labels that cannot be used, or a folder that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let meshes = args
        .meshes
        .as_deref()
        .map(MeshSet::load)
        .transpose()
        .map_err(|error| CliError::failed("the meshes cannot be used", error))?;
    let neck = args.volume.as_deref().map(|dir| real_neck(dir, args.labels.as_deref())).transpose()?;
    let sources: Vec<AnatomySource> = args.anatomy.iter().map(|text| AnatomySource::parse(text)).collect();
    let library = (!sources.is_empty())
        .then(|| AnatomyLibrary::load(&sources))
        .transpose()
        .map_err(|error| CliError::failed("the anatomy cannot be used", error))?;
    for sentence in library.iter().flat_map(AnatomyLibrary::left_out) {
        eprintln!("{sentence}");
    }
    let anatomy = match (&neck, &meshes, &library) {
        (Some(neck), ..) => Anatomy::Real(neck),
        (None, Some(meshes), _) => Anatomy::Meshes(meshes),
        (None, None, Some(library)) => Anatomy::Blended(library),
        (None, None, None) => Anatomy::Parametric,
    };
    let kinds = if args.kinds.is_empty() { &FractureKind::ALL[..] } else { &args.kinds };
    let mut recipes = Vec::new();
    for seed in args.seed..args.seed.saturating_add(args.count) {
        let mut recipe = Recipe::random(seed).with_matrix(usize::from(args.matrix));
        if neck.is_some() {
            recipe = recipe.of_real_bone();
        } else if library.is_some() {
            recipe = recipe.of_blended_anatomy();
        }
        if neck.as_ref().is_some_and(|neck| !neck.is_labelled()) {
            recipe = recipe.intact();
        } else if let Some(levels) = args.broken {
            recipe = recipe.broken(usize::from(levels), kinds);
        }
        if matches!(args.preset, Preset::Queue) {
            // A real scan stands as it was taken.
            recipe = if neck.is_some() { recipe } else { recipe.with_gantry() };
            recipe.preset = phantom::Preset::Queue;
        }
        if let Some(part) = args.part {
            recipe.scan.coverage = match part {
                Part::Head => Coverage::Head,
                Part::Chest => Coverage::Chest,
            };
        }
        let spacing = recipe.scan.spacing_mm;
        if spacing < args.least_spacing {
            recipe.scan.slices = (recipe.scan.slices as f32 * spacing / args.least_spacing).ceil() as usize;
            recipe.scan.spacing_mm = args.least_spacing;
            recipe.scan.thickness_mm = recipe.scan.thickness_mm.max(args.least_spacing);
        }
        let twin = (args.twins && !recipe.fractures.is_empty()).then(|| {
            let mut twin = recipe.clone().intact();
            twin.patient.id.push('T');
            twin
        });
        recipes.push(recipe);
        recipes.extend(twin);
    }
    let bar = ProgressBar::with_draw_target(Some(recipes.len() as u64), ProgressDrawTarget::stderr());
    let done = |count: usize| bar.set_position(count as u64);
    write_dataset(&args.out, &recipes, anatomy, args.masks, &Cancel::new(), &done, &write_slice)
        .map_err(|error| CliError::failed(format!("{} is not complete", select::shown(&args.out)), error))?;
    bar.finish_and_clear();
    if let Some(path) = &args.contact_sheet {
        let uids: Vec<String> = recipes.iter().map(|recipe| recipe.uid("study")).collect();
        contact_sheet::write(path, &args.out, &uids, args.beside.as_deref())?;
    }
    eprintln!("{} studies in {}", recipes.len(), select::shown(&args.out));
    Ok(ExitCode::SUCCESS)
}

fn real_neck(dir: &Path, labels: Option<&Path>) -> Result<RealNeck, CliError> {
    let unusable = |error| CliError::failed(format!("{} cannot be used", select::shown(dir)), error);
    let volume = contact_sheet::load(dir)?;
    if labels.is_none() {
        eprintln!("without --labels no vertebra is known: nothing is broken and no segmentation is written");
    }
    Ok(RealNeck::new(&volume, labels).map_err(unusable)?.named(dir))
}
