//! How many rows a statement takes: few different numbers, so that few different statements are prepared.

/// The most parameters of one statement: PostgreSQL takes 65,535 and SQLite 32,766, and more than this make neither faster.
const MOST_PARAMETERS: usize = 6_000;

/// Splits `items` into what one statement may take that has `parameters` of each of them.
pub fn chunks<T>(items: &[T], parameters: usize) -> std::slice::Chunks<'_, T> {
    items.chunks((MOST_PARAMETERS / parameters.max(1)).max(1))
}

/// The sizes in which `count` rows are written: powers of two up to 32, so that few different statements are prepared.
pub fn batches(mut count: usize) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let size = 32.min(1 << count.checked_ilog2()?);
        count -= size;
        Some(size)
    })
}

/// `items` and so many of `filler` that there is a power of two of them, so that few different statements are prepared.
pub fn padded<T: Clone>(items: &[T], filler: T) -> Vec<T> {
    let mut padded = items.to_vec();
    padded.resize(items.len().next_power_of_two(), filler);
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_in_few_sizes() {
        assert_eq!(batches(0).collect::<Vec<_>>(), Vec::<usize>::new());
        assert_eq!(batches(1).collect::<Vec<_>>(), [1]);
        assert_eq!(batches(7).collect::<Vec<_>>(), [4, 2, 1]);
        assert_eq!(batches(70).collect::<Vec<_>>(), [32, 32, 4, 2]);
    }

    #[test]
    fn no_statement_has_more_parameters_than_either_database_takes() {
        let sizes = |count, parameters| chunks(&vec![(); count], parameters).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(0, 3), Vec::<usize>::new());
        assert_eq!(sizes(4_500, 3), [2_000, 2_000, 500]);
        assert_eq!((sizes(2, 0), sizes(2, 7_000)), (vec![2], vec![1, 1]));
    }
}
