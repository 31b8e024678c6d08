//! Work on many things at once, where there is enough of it.
//!
//! Two threads finish little work no sooner than one, and together they take more of the processor.

use rayon::prelude::*;

/// Less text than this is read by whoever asks for it.
const BYTES_MIN: usize = 8 * 1024 * 1024;

/// Applies a function to each item, in order. `bytes` is how much text that is in all; `init` makes
/// what a worker keeps from item to item.
pub(crate) fn map<T: Send, S, R: Send>(
    items: Vec<T>,
    bytes: usize,
    init: impl Fn() -> S + Send + Sync,
    work: impl Fn(&mut S, T) -> R + Send + Sync,
) -> Vec<R> {
    if bytes >= BYTES_MIN {
        return items.into_par_iter().map_init(init, work).collect();
    }
    let mut kept = init();
    items.into_iter().map(|item| work(&mut kept, item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_either_way() {
        let doubled: Vec<u32> = (0..1000).map(|n| n * 2).collect();
        for bytes in [0, BYTES_MIN] {
            assert_eq!(map((0..1000).collect(), bytes, || (), |(), n: u32| n * 2), doubled);
        }
    }
}
