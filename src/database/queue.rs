//! The bounded queue in front of the database threads: three lanes, none of which starves.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{Error, Lane, work::Work};

/// How many closures each lane may give before a lower lane has its turn. A round is one full
/// batch, so that bulk work gets one closure between two full batches of the rest.
const CREDITS: [u32; 3] = [192, 63, 1];

/// A closure and whether it wants the transaction for itself.
pub(crate) struct Entry {
    pub(crate) work: Box<dyn Work>,
    pub(crate) exclusive: bool,
    lane: Lane,
}

impl Entry {
    /// Runs in a transaction of its own: schema changes, and bulk work because it is long.
    pub(crate) fn is_alone(&self) -> bool {
        self.exclusive || self.lane == Lane::Bulk
    }
}

/// What a waiting thread is told.
pub(crate) enum Next {
    /// Something to do.
    Run(Entry),
    /// Nothing came for as long as the thread wanted to wait.
    Idle,
    /// The queue is closed and empty.
    Closed,
}

/// A bounded queue of closures.
pub(crate) struct Queue {
    lanes: Mutex<Lanes>,
    ready: Condvar,
}

impl Queue {
    /// A queue whose lanes hold `capacity` closures each.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            lanes: Mutex::new(Lanes::new(capacity)),
            ready: Condvar::new(),
        }
    }

    /// Appends `work`, or says why not.
    pub(crate) fn push(
        &self,
        lane: Lane,
        exclusive: bool,
        work: Box<dyn Work>,
    ) -> Result<(), Error> {
        self.lock().push(Entry {
            work,
            exclusive,
            lane,
        })?;
        self.ready.notify_one();
        Ok(())
    }

    /// Appends `work`, or gives it back when there is no room.
    pub(crate) fn offer(&self, lane: Lane, work: Box<dyn Work>) -> Result<(), Box<dyn Work>> {
        let mut lanes = self.lock();
        if lanes.closed || lanes.waiting[lane as usize].len() >= lanes.capacity {
            return Err(work);
        }
        lanes.waiting[lane as usize].push_back(Entry {
            work,
            exclusive: false,
            lane,
        });
        drop(lanes);
        self.ready.notify_one();
        Ok(())
    }

    /// The next closure, waiting up to `idle` for it.
    pub(crate) fn next(&self, idle: Duration) -> Next {
        let mut lanes = self.lock();
        loop {
            if let Some(entry) = lanes.pop(|_| true) {
                return Next::Run(entry);
            }
            if lanes.closed {
                return Next::Closed;
            }
            let (guard, waited) = self
                .ready
                .wait_timeout_while(lanes, idle, |lanes| lanes.is_empty() && !lanes.closed)
                .unwrap_or_else(PoisonError::into_inner);
            lanes = guard;
            if waited.timed_out() && lanes.is_empty() && !lanes.closed {
                return Next::Idle;
            }
        }
    }

    /// The next closure if it is here already and may share a transaction.
    pub(crate) fn next_in_group(&self) -> Option<Entry> {
        self.lock().pop(|entry| !entry.is_alone())
    }

    /// Refuses what comes from now on and lets the threads end when the rest is done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    /// How many closures wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        // Nothing panics while the lock is held, and plain queues have no broken state.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes a queue when a thread ends, by whatever way: nobody may wait for a thread that is gone.
pub(crate) struct ClosesAtEnd(pub(crate) Arc<Queue>);

impl Drop for ClosesAtEnd {
    fn drop(&mut self) {
        self.0.close();
        if std::thread::panicking() {
            // Dropping a closure tells its caller that the database is closed.
            self.0.lock().waiting.iter_mut().for_each(VecDeque::clear);
        }
    }
}

struct Lanes {
    waiting: [VecDeque<Entry>; 3],
    credits: [u32; 3],
    capacity: usize,
    closed: bool,
}

impl Lanes {
    fn new(capacity: usize) -> Self {
        Self {
            waiting: Default::default(),
            credits: CREDITS,
            capacity,
            closed: false,
        }
    }

    fn push(&mut self, entry: Entry) -> Result<(), Error> {
        if self.closed {
            return Err(Error::Closed);
        }
        let waiting = &mut self.waiting[entry.lane as usize];
        if waiting.len() >= self.capacity {
            return Err(Error::Busy);
        }
        waiting.push_back(entry);
        Ok(())
    }

    /// The closure whose turn it is, if `wanted` accepts it.
    fn pop(&mut self, wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let lane = self.turn().or_else(|| {
            self.credits = CREDITS;
            self.turn()
        })?;
        if !self.waiting[lane].front().is_some_and(wanted) {
            return None;
        }
        self.credits[lane] -= 1;
        self.waiting[lane].pop_front()
    }

    fn turn(&self) -> Option<usize> {
        (0..3).find(|&lane| self.credits[lane] > 0 && !self.waiting[lane].is_empty())
    }

    fn len(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }

    fn is_empty(&self) -> bool {
        self.waiting.iter().all(VecDeque::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::work;

    fn push(queue: &Queue, lane: Lane, exclusive: bool) -> Result<(), Error> {
        let (work, _reply) = work::pack(|_| Ok::<(), Error>(()));
        queue.push(lane, exclusive, work)
    }

    fn take(queue: &Queue) -> Option<Lane> {
        match queue.next(Duration::ZERO) {
            Next::Run(entry) => Some(entry.lane),
            Next::Idle | Next::Closed => None,
        }
    }

    #[test]
    fn urgent_goes_first_and_nothing_starves() {
        let queue = Queue::new(1_000);
        for _ in 0..600 {
            push(&queue, Lane::Bulk, false).unwrap();
            push(&queue, Lane::Normal, false).unwrap();
            push(&queue, Lane::Urgent, false).unwrap();
        }
        let round: Vec<Lane> = (0..256).map(|_| take(&queue).unwrap()).collect();
        let count = |lane| round.iter().filter(|taken| **taken == lane).count();
        assert_eq!(round[0], Lane::Urgent);
        assert_eq!(
            (count(Lane::Urgent), count(Lane::Normal), count(Lane::Bulk)),
            (192, 63, 1),
            "each lane has its share of a round"
        );
    }

    #[test]
    fn a_lane_alone_is_not_held_back_by_its_share() {
        let queue = Queue::new(1_000);
        for _ in 0..5 {
            push(&queue, Lane::Bulk, false).unwrap();
        }
        assert_eq!((0..6).filter_map(|_| take(&queue)).count(), 5);
    }

    #[test]
    fn a_full_lane_refuses_and_the_others_do_not() {
        let queue = Queue::new(2);
        push(&queue, Lane::Normal, false).unwrap();
        push(&queue, Lane::Normal, false).unwrap();
        assert!(matches!(
            push(&queue, Lane::Normal, false),
            Err(Error::Busy)
        ));
        push(&queue, Lane::Urgent, false).unwrap();
        assert_eq!(queue.len(), 3);
    }

    #[test]
    fn work_that_runs_alone_ends_a_group() {
        for (lane, exclusive) in [(Lane::Normal, true), (Lane::Bulk, false)] {
            let queue = Queue::new(10);
            push(&queue, lane, exclusive).unwrap();
            assert!(queue.next_in_group().is_none());
            assert_eq!(take(&queue), Some(lane));
        }
    }

    #[test]
    fn a_thread_that_panics_leaves_nobody_waiting() {
        let queue = Arc::new(Queue::new(10));
        let (work, mut reply) = work::pack(|_| Ok::<(), Error>(()));
        queue.push(Lane::Normal, false, work).unwrap();
        let dying = Arc::clone(&queue);
        let thread = std::thread::spawn(move || {
            let _closing = ClosesAtEnd(dying);
            panic!("a bug");
        });
        assert!(thread.join().is_err());
        assert!(matches!(
            reply.try_recv(),
            Err(oneshot::error::TryRecvError::Closed)
        ));
        assert!(matches!(
            push(&queue, Lane::Normal, false),
            Err(Error::Closed)
        ));
    }

    #[test]
    fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
        let queue = Queue::new(10);
        push(&queue, Lane::Normal, false).unwrap();
        queue.close();
        assert!(matches!(
            push(&queue, Lane::Normal, false),
            Err(Error::Closed)
        ));
        assert_eq!(take(&queue), Some(Lane::Normal));
        assert!(matches!(queue.next(Duration::from_mins(1)), Next::Closed));
    }
}
